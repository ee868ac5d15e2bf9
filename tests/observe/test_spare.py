"""Children that served a submission, asked more: they answer as fresh ones would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.intake import take_in
from grader.observe.difference_check import take_difference_check
from grader.observe.observe import Allowance
from grader.observe.spare import SpareChildren
from grader.observe.trace import Trace, take_trace
from grader.observe.trials import Examinee
from grader.observe.verification import take_verification
from grader.problem import set_paper
from grader.records import Observations, SourceFile, Submission
from grader.sandbox.pool import Zygote
from tests.observe.both_parts import observe
from tests.sandbox.confined import linux_only

pytestmark = linux_only

ROOT = Path(__file__).parents[2]
REFERENCE = take_in(ROOT / "reference")
PAPER = set_paper(7)
ALLOWANCE = Allowance()


def submission(text: str, **others: str) -> Submission:
    texts = {"solution.py": text, **{f"{n}.py": t for n, t in others.items()}}
    files = tuple(SourceFile(n, t.encode()) for n, t in texts.items())
    return replace(REFERENCE, files=files, main="solution.py")


@pytest.fixture
def spare() -> Iterator[SpareChildren]:
    with SpareChildren() as children:
        yield children


def seen(one: Submission, numpy: Zygote, torch: Zygote, spare: SpareChildren) -> Observations:
    return observe(one, PAPER, numpy, torch, ALLOWANCE, spare)


def same(one: Trace, other: Trace) -> bool:
    """Whether two traces have the same values at the same places."""
    pairs = zip(one.values, other.values, strict=True)
    return all(a.span == b.span and np.array_equal(a.value, b.value) for a, b in pairs)


def test_the_reference_answers_as_in_fresh_children(
    numpy_zygote: Zygote, torch_zygote: Zygote, spare: SpareChildren
) -> None:
    observed = seen(REFERENCE, numpy_zygote, torch_zygote, spare)
    assert observed["forward/primes"].ok and observed["torch/primes"].ok
    numpy, torch = spare.child("numpy"), spare.child("torch")
    assert numpy is not None and torch is not None
    both = (REFERENCE, PAPER)
    trace = take_trace(*both, "numpy", numpy_zygote, ALLOWANCE, numpy)
    assert trace.values and same(trace, take_trace(*both, "numpy", numpy_zygote, ALLOWANCE))
    used = Examinee(*both, torch_zygote, ALLOWANCE, torch)
    unused = Examinee(*both, torch_zygote, ALLOWANCE)
    verification = take_verification(used)
    assert verification.tested
    assert verification == take_verification(unused)
    check, fresh = take_difference_check(used), take_difference_check(unused)
    assert check.points.keys() == fresh.points.keys() and check.trials == fresh.trials
    assert spare.child("numpy") is numpy and spare.child("torch") is torch


COUNTING = """
import numpy as np
import helper
from utils import more
import plotting_that_is_not_here as plot
plot.calls = getattr(plot, "calls", 0)
calls = 0

def forward(X, y, W1, b1, W2, b2):
    global calls
    calls += 1
    helper.calls += 1
    more.calls += 1
    told = np.array([calls, helper.calls, more.calls], float)
    return X.sum(), {"told": told}

def backward(cache):
    return {}
"""


def test_what_an_earlier_load_left_is_not_found(
    numpy_zygote: Zygote, torch_zygote: Zygote, spare: SpareChildren
) -> None:
    one = submission(COUNTING, helper="calls = 0\n", **{"utils/more": "calls = 0\n"})
    assert seen(one, numpy_zygote, torch_zygote, spare)["forward/primes/again"].ok
    child = spare.child("numpy")
    assert child is not None
    trace = take_trace(one, PAPER, "numpy", numpy_zygote, ALLOWANCE, child)
    assert spare.child("numpy") is child and not trace.stopped
    told = next(v.value for v in trace.values if trace.text(v).startswith("np.array(["))
    assert told.tolist() == [1.0, 1.0, 1.0]


LEAVING = """
import builtins, os
if hasattr(builtins, "been_here"):
    {how}
builtins.been_here = True
def forward(X, y, W1, b1, W2, b2):
    return X.sum(), {{"Z1": X @ W1 + b1}}
def backward(cache):
    return {{}}
"""


def test_a_child_that_does_not_answer_is_replaced(
    numpy_zygote: Zygote, torch_zygote: Zygote, spare: SpareChildren
) -> None:
    one = submission(LEAVING.format(how="os._exit(0)"))
    seen(one, numpy_zygote, torch_zygote, spare)
    child = spare.child("numpy")
    trace = take_trace(one, PAPER, "numpy", numpy_zygote, ALLOWANCE, child)
    assert trace.values and not trace.reason
    assert spare.child("numpy") is None


def test_one_that_uses_up_the_time_is_not(
    numpy_zygote: Zygote,
    torch_zygote: Zygote,
    spare: SpareChildren,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = submission(LEAVING.format(how="while True: pass"))
    seen(one, numpy_zygote, torch_zygote, spare)
    child = spare.child("numpy")
    monkeypatch.setattr(Zygote, "spawn", None)  # whoever asks for another child fails
    hanging = take_trace(one, PAPER, "numpy", numpy_zygote, Allowance(0.3), child)
    assert hanging.reason.startswith("timeout")


def test_a_child_that_a_step_ended_is_replaced_before_one_is_spare(
    numpy_zygote: Zygote, torch_zygote: Zygote, spare: SpareChildren
) -> None:
    main = next(f for f in REFERENCE.files if f.path == REFERENCE.main)
    ends = """
import os
calls, real = [], verify
def verify(X, y, W1, b1, W2, b2):
    calls.append(1)
    return os._exit(0) if len(calls) == 3 else real(X, y, W1, b1, W2, b2)
"""
    observed = seen(submission(main.data.decode() + ends), numpy_zygote, torch_zygote, spare)
    assert observed["verify/primes"].ok
    torch = spare.child("torch")
    assert torch is not None and torch.alive


def test_they_end_with_the_questions(numpy_zygote: Zygote, torch_zygote: Zygote) -> None:
    with SpareChildren() as children:
        seen(REFERENCE, numpy_zygote, torch_zygote, children)
        both = [children.child(side) for side in ("numpy", "torch")]
    assert all(child is not None and child.reaped is not None for child in both)


def test_what_is_dropped_is_gone_and_the_other_side_stays(
    numpy_zygote: Zygote, torch_zygote: Zygote, spare: SpareChildren
) -> None:
    seen(REFERENCE, numpy_zygote, torch_zygote, spare)
    torch = spare.child("torch")
    spare.drop("torch")
    spare.drop("torch")
    assert spare.child("torch") is None
    assert torch is not None and torch.reaped is not None
    assert spare.child("numpy") is not None
