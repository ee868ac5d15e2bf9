"""Who derives is told from who takes differences, and neither style nor loops make the difference.

Each answer is traced in this process, as a child would trace it, on inputs of several sizes.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from grader.child import instrument
from grader.child.binding.canonical import ARGUMENTS
from grader.child.driver import Driver
from grader.child.tracing import PHASES
from grader.defects import BY_CODE
from grader.defects.clues import Clues
from grader.observe.requests import loading_items
from grader.observe.trace import REPLY_BYTES, Trace, read_trace
from grader.problem import Paper
from grader.records import Ended, Observation, SourceFile, Submission
from grader.source.parsing import source_lines
from tests.checks.simulation import PAPER, simulated
from tests.defects.derivations import (
    DIFFERENCED,
    ENGINES,
    ENTRY_BY_ENTRY,
    HEAD,
    LOSS,
    RIGHT,
)

ENTRIES = ENTRY_BY_ENTRY.removeprefix(LOSS)

NUMERIC, UNCLEAR = BY_CODE["numeric-gradient"], BY_CODE["gradient-method-unclear"]


@pytest.fixture(autouse=True)
def _reporters() -> Iterator[None]:
    """Leave no reporters and no stand-ins behind in this process."""
    finders = list(sys.meta_path)
    yield
    sys.meta_path[:] = finders
    for name in (instrument.SEE, instrument.HOLD, instrument.HELD):
        if hasattr(builtins, name):
            delattr(builtins, name)


def submitted(text: str) -> Submission:
    """Return an answer of one file."""
    file = SourceFile("solution.py", (HEAD + text).encode())
    return Submission("a", "a", "", (file,), "solution.py")


def traced(text: str, paper: Paper = PAPER) -> Trace:
    """Return the trace of an answer on `primes`."""
    submission = submitted(text)
    items = {**loading_items(submission, "numpy", 1), **paper.cases["primes"].inputs}
    reply = Driver().handle("trace", items | {"max_bytes": str(REPLY_BYTES)})
    sources = {f.path: source_lines(f.data) for f in submission.files}
    trace = read_trace(reply, sources, PHASES[:2])
    assert not trace.reason and not trace.stopped
    return trace


def gradients(text: str) -> dict[str, np.ndarray]:
    """Return what an answer gives on `primes`."""
    names: dict = {}
    exec(HEAD + text, names)
    inputs = {n: a.copy() for n, a in PAPER.cases["primes"].inputs.items()}
    return names["backward"](names["forward"](*(inputs[n] for n in ARGUMENTS))[1])


def clues(text: str) -> Clues:
    """Return what is known of an answer."""

    def answers(runs: dict) -> None:
        runs["backward/primes"] = Observation(Ended.OK, gradients(text))

    view = simulated(answers, trace=traced(text))
    return Clues(submitted(text), view, {}, (None, None), Trace)


def said(text: str) -> tuple[list[str], list[str]]:
    """Return what numeric-gradient and gradient-method-unclear say of an answer."""
    known = clues(text)
    first, second = NUMERIC.signs[0], UNCLEAR.signs[0]
    return [s.message for s in first.sights(known)], [s.message for s in second.sights(known)]


@pytest.mark.parametrize("style", RIGHT)
def test_no_right_style_is_accused(style: str) -> None:
    assert said(RIGHT[style]) == ([], [])


@pytest.mark.parametrize("way", DIFFERENCED)
def test_differences_of_any_kind_are_named(way: str) -> None:
    numeric, unclear = said(DIFFERENCED[way])
    assert len(numeric) == 1 and not unclear


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_goes_to_a_person(engine: str) -> None:
    numeric, unclear = said(ENGINES[engine])
    assert not numeric and len(unclear) == 1 and "engine" in unclear[0]


def test_a_decoy_beside_inexact_differences_does_not_help() -> None:
    decoy = "    X, y, W1, b1, W2, b2 = (np"
    text = DIFFERENCED["central"].replace(
        decoy,
        "    dZ2 = (cache[0] @ cache[2] + cache[3]).clip(0) @ cache[4] + cache[5]\n"
        "    dZ2 = np.exp(dZ2) / np.exp(dZ2).sum(1)[:, None] - np.eye(len(cache[5]))[cache[1]]\n"
        + decoy,
    )
    assert text != DIFFERENCED["central"]
    numeric, _ = said(text)
    assert numeric


def test_what_is_hidden_from_every_look_goes_to_a_person() -> None:
    hidden = RIGHT["plain"].replace("def backward(cache):", "def slopes(cache):")
    code = f"names = {{}}\nexec({HEAD + hidden!r}, names)\nforward = names['forward']\n"
    reached = "slopes = names['slopes'].__class__(names['slopes'].__code__.replace("
    text = code + reached + "co_filename='/x'), names)\n\n\ndef backward(cache):\n"
    numeric, unclear = said(text + "    return slopes(cache)\n")
    assert not numeric
    assert len(unclear) == 1


def test_what_checks_itself_by_differences_goes_to_a_person() -> None:
    check = (
        "\n\nexact = backward\n\n\ndef value(y, **given):\n    return forward(y=y, **given)[0]\n"
    )
    differences = ENTRIES.replace("TYPE", "float").replace("STEP", "1e-5")
    differences = differences.replace("def backward(cache):", "def differences(cache):").replace(
        "QUOTIENT", "(up - value(y=y, **given)) / 1e-5"
    )
    forward = "b2): \n    loss, kept = inner(X, y, W1, b1, W2, b2)\n"
    wrapped = (
        RIGHT["plain"].replace("def forward", "def inner")
        + "\n\ndef forward(X, y, W1, b1, W2, "
        + forward
        + "    return loss, (kept, (X, y, W1, b1, W2, b2))\n"
        + check
        + differences
        + "\n\ndef backward(cache):\n    differences(cache[1])\n    return exact(cache[0])\n"
    )
    numeric, unclear = said(wrapped)
    assert not numeric
    assert len(unclear) == 1
