"""A submission's verification put to the test, in real children; and replies that are lies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.child.reports import MAX_TRIALS, OWN_NUMBERS, CorruptionKind, TrialOutcome
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.observe.observe import Allowance
from grader.observe.trials import Examinee
from grader.observe.verification import read_verification, take_verification
from grader.observe.verification_record import Verification
from grader.problem import set_paper
from grader.records import TENSORS, Ended, SourceFile, Submission
from grader.sandbox.pool import Zygote
from tests.checks.test_verify_table import BOTH, NETWORK, NUMBERS
from tests.sandbox.confined import linux_only

ROOT = Path(__file__).parents[2]
PAPER = set_paper(5)


def submission(text: str) -> Submission:
    return assemble("id", "name", Read((SourceFile("solution.py", text.encode()),), ()))


def tried(zygote: Zygote, text: str, seconds: float = 10.0) -> Verification:
    return take_verification(Examinee(submission(text), PAPER, zygote, Allowance(seconds)))


# ── how it may be written ────────────────────────────────────────────────────


@linux_only
def test_numbers_of_its_own(torch_zygote: Zygote) -> None:
    numbers = NUMBERS.replace("B = D = H = C = 6", "B, D, H, C = 4, 6, 5, 3").replace(
        "\n", "\n    "
    )
    numbers = numbers.rstrip() + "\n"
    text = f"{NETWORK}\ndef verify():{numbers}" + BOTH.split("\n", 2)[2]
    record = tried(
        torch_zygote, text + "    return all(np.allclose(mine[k], theirs[k]) for k in mine)"
    )
    assert (record.form, record.accepts, record.overlooked) == ("function", True, ())
    assert record.tested and all(t.outcome is not TrialOutcome.ACCEPTED for t in record.trials)


@linux_only
def test_gradients_handed_in(torch_zygote: Zygote) -> None:
    text = """
def check_gradients(numpy_grads, torch_grads):
    return all(np.allclose(numpy_grads[k], torch_grads[k]) for k in ("W1", "b1", "W2", "b2"))
"""
    record = tried(torch_zygote, NETWORK + text)
    assert (record.form, record.overlooked) == ("function", ("X",))


ALL_IN_ONE = """
import numpy as np, torch

def verify(X, y, W1, b1, W2, b2):
    w1, c1, w2, c2, x = leaves = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    logits = torch.relu(x @ w1 + c1) @ w2 + c2
    torch.nn.functional.cross_entropy(logits, torch.tensor(y)).backward()
    for leaf in leaves:
        print(leaf.grad.clone().numpy())
    z = X @ W1 + b1
    s = np.maximum(z, 0) @ W2 + b2
    d = np.exp(s - s.max(1, keepdims=True))
    d /= d.sum(1, keepdims=True)
    d[np.arange(len(y)), y] -= 1
    d /= len(y)
    e = d @ W2.T * (z > 0)
    mine = [X.T @ e, e.sum(0), np.maximum(z, 0).T @ d, d.sum(0), e @ W1.T]
    return all(np.allclose(a, leaf.grad.numpy()) for a, leaf in zip(mine, leaves))
"""


@linux_only
def test_a_copy_that_is_only_shown(torch_zygote: Zygote) -> None:
    """The first array with the gradient's numbers leads nowhere; autograd's own does."""
    record = tried(torch_zygote, ALL_IN_ONE)
    assert record.accepts is True
    assert record.tested and record.overlooked == ()


@linux_only
def test_gradients_that_autograd_returns(torch_zygote: Zygote) -> None:
    text = ALL_IN_ONE.replace(
        "torch.nn.functional.cross_entropy", "loss = torch.nn.functional.cross_entropy"
    )
    text = text.replace(".backward()", "\n    found = torch.autograd.grad(loss, leaves)")
    text = text.replace("for leaf in leaves:\n        print(leaf.grad.clone().numpy())", "pass")
    text = text.replace(
        "leaf.grad.numpy()) for a, leaf in zip(mine, leaves)",
        "g) for a, g in zip(mine[1:], found[1:])",
    )
    assert ".grad." not in text.replace("autograd.grad", "")
    assert tried(torch_zygote, text).overlooked == ("W1",)


@linux_only
def test_a_sign_that_nobody_looks_at(torch_zygote: Zygote) -> None:
    """Nothing else is let through, so it is tried on every gradient from the start."""
    text = "    return all(np.allclose(abs(mine[k]), abs(theirs[k]), 1e-7, 1e-10) for k in mine)\n"
    record = tried(torch_zygote, NETWORK + BOTH + text)
    missed = [(trial.tensor, trial.words) for trial in record.trials if trial.missed]
    assert missed == [(tensor, "of the wrong sign") for tensor in TENSORS]


@linux_only
def test_a_yes_without_a_look(torch_zygote: Zygote) -> None:
    text = "\ndef verify(X, y, W1, b1, W2, b2):\n    assert X.shape[1] == W1.shape[0]\n    return True\n"
    record = tried(torch_zygote, NETWORK + text)
    assert record.idle
    assert record.overlooked == TENSORS
    assert record.verdict == (
        "solution.py",
        record.sources["solution.py"].index("    return True") + 1,
    )


@linux_only
def test_results_kept_from_before_are_no_yes_without_a_look(torch_zygote: Zygote) -> None:
    """What it compares was computed at import: then nothing can be spoiled, and nothing is said."""
    text = (
        NETWORK
        + NUMBERS
        + """
kept = backward(forward(X, y, W1, b1, W2, b2)[1])
other = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
def verify(X, y, W1, b1, W2, b2):
    return all(np.allclose(kept[k], other[k].numpy()) for k in kept)
"""
    )
    record = tried(torch_zygote, text)
    assert record.accepts is True
    assert not record.idle and not record.tested and record.overlooked == ()


@linux_only
@pytest.mark.parametrize(
    ("bug", "becomes"),
    [("    dZ2 /= len(y)\n", ""), ('"X": dZ1 @ W1.T}', '"X": W1 @ dZ1.T}'),
     ('"b1": dZ1.sum(0)', '"b1": dZ1.sum(0, keepdims=True)'), (".mean(), (X", ".sum(), (X")],
)  # fmt: skip
def test_a_bug_in_one_side_is_no_matter(bug: str, becomes: str, torch_zygote: Zygote) -> None:
    text = NETWORK.replace(bug, becomes) + BOTH
    assert text != NETWORK + BOTH
    text += """
    assert abs(loss - tloss) < 1e-9
    for k in mine:
        np.testing.assert_allclose(mine[k], theirs[k], rtol=1e-6, atol=1e-12)
"""
    record = tried(torch_zygote, text)
    assert (record.equalised, record.equal, record.accepts) == (True, True, True)
    assert (record.accepts_as_is, record.by_as_is) == (False, "raise")
    assert record.tested and record.overlooked == ()


@linux_only
@pytest.mark.parametrize("wrong", ["logits - logits.mean(0, keepdim=True)", "logits - t['b2']"])
def test_a_gradient_that_is_nothing_but_rounding(wrong: str, torch_zygote: Zygote) -> None:
    """By a bug, autograd's db2 is 0: that 1 % more of it passes is no fault of the comparison."""
    text = NETWORK.replace("    loss = F", f"    logits = {wrong}\n    loss = F") + BOTH
    text += "    return all(np.allclose(mine[k], theirs[k], 1e-7, 1e-10) for k in mine)\n"
    record = tried(torch_zygote, text)
    assert record.accepts is True and record.accepts_as_is is False
    assert record.overlooked == ()
    assert {t.kind for t in record.of("b2")} == {CorruptionKind.ENTRY}


@linux_only
def test_each_side_with_numbers_of_its_own(torch_zygote: Zygote) -> None:
    text = (
        NETWORK
        + """
def draw(shape):
    return np.random.normal(size=shape)

def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(draw(X.shape), y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(draw(X.shape), y, W1, b1, W2, b2)[1]
    return all(np.allclose(mine[k], theirs[k].numpy()) for k in mine)
"""
    )
    record = tried(torch_zygote, text)
    assert record.accepts is False
    assert record.different == ("X",)
    file, line = record.divergence
    assert "theirs = torch_forward_backward(draw" in record.sources[file][line - 1]


@linux_only
def test_words_that_only_look_like_an_objection(torch_zygote: Zygote) -> None:
    text = (
        NETWORK
        + BOTH
        + """
    bad = sum(not np.allclose(mine[k], theirs[k]) for k in mine)
    print("mismatches:", bad)
"""
    )
    assert tried(torch_zygote, text).accepts is True
    always = text.replace(
        "not np.allclose(mine[k], theirs[k])", "not (mine[k] == theirs[k] + 1).all()"
    )
    record = tried(torch_zygote, always.replace('"mismatches:", bad', '"gradients are wrong"'))
    assert record.accepts is False


@linux_only
def test_a_script_that_only_prints(torch_zygote: Zygote) -> None:
    text = (
        NETWORK
        + NUMBERS
        + """
print(backward(forward(X, y, W1, b1, W2, b2)[1]), torch_forward_backward(X, y, W1, b1, W2, b2))
"""
    )
    record = tried(torch_zygote, text)
    assert (record.form, record.by_script) == ("script", False)


@linux_only
def test_a_statement_that_fails_does_not_end_the_script(torch_zygote: Zygote) -> None:
    text = (
        NETWORK
        + "data = open('mnist.npz')\nsize = data.shape\n"
        + NUMBERS
        + """
mine = backward(forward(X, y, W1, b1, W2, b2)[1])
theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
assert np.allclose(mine["W2"], theirs["W2"].numpy())
"""
    )
    record = tried(torch_zygote, text)
    assert record.by_script and record.accepts is True
    assert record.overlooked == ("W1", "b1", "b2", "X")
    assert {t.case for t in record.trials} == {OWN_NUMBERS}


UNITTEST = """
import unittest

class TestGradients(unittest.TestCase):
    def test_all(self):
        mine = backward(forward(X, y, W1, b1, W2, b2)[1])
        theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
        for k in mine:
            np.testing.assert_array_almost_equal(mine[k], theirs[k].numpy())

if __name__ == "__main__":
    unittest.main()
"""


@linux_only
def test_a_script_of_unit_tests(torch_zygote: Zygote) -> None:
    record = tried(torch_zygote, NETWORK + NUMBERS + UNITTEST)
    assert record.by_script and record.accepts is True and record.overlooked == ()


TRAINS_AFTERWARDS = """
import torch.nn as nn
import torch.nn.functional as F
B, D, H, C = 6, 4, 5, 3
rng = np.random.default_rng(2)
X, y = rng.normal(size=(B, D)), rng.integers(0, C, B)
W1, b1, W2, b2 = (rng.normal(size=s) for s in ((D, H), H, (H, C), C))
mine = backward(forward(X, y, W1, b1, W2, b2)[1])
net = nn.Sequential(nn.Linear(D, H), nn.ReLU(), nn.Linear(H, C)).double()
with torch.no_grad():
    for parameter, array in zip(net.parameters(), (W1.T, b1, W2.T, b2)):
        parameter.copy_(torch.tensor(array))
tX = torch.tensor(X, requires_grad=True)
F.cross_entropy(net(tX), torch.tensor(y)).backward()
pairs = [
    (mine["W1"].T, net[0].weight.grad), (mine["b1"], net[0].bias.grad),
    (mine["W2"].T, net[2].weight.grad), (mine["b2"], net[2].bias.grad), (mine["X"], tX.grad),
]
for by_hand, by_torch in pairs:
    assert np.allclose(by_hand, by_torch.numpy(), rtol=1e-8, atol=1e-11)
optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    optimiser.zero_grad()
    F.cross_entropy(net(tX.detach()), torch.tensor(y)).backward()
    optimiser.step()
"""


@linux_only
def test_a_script_that_trains_once_it_has_compared(torch_zygote: Zygote) -> None:
    record = tried(torch_zygote, NETWORK + TRAINS_AFTERWARDS)
    assert record.by_script and record.accepts is True and record.overlooked == ()
    assert {t.tensor for t in record.trials if t.outcome is TrialOutcome.REFUSED} == set(TENSORS)
    partly = TRAINS_AFTERWARDS.replace("in pairs:", "in pairs[:2]:")
    assert tried(torch_zygote, NETWORK + partly).overlooked == ("W2", "b2", "X")


@linux_only
@pytest.mark.parametrize(
    ("body", "ended", "broke_off"),
    [
        ("while True: pass", Ended.TIMEOUT, False),
        ("import os; os._exit(0)", Ended.CRASH, True),
        ("import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)", Ended.VIOLATION, True),
    ],
)
def test_what_ends_the_child_leaves_a_reason(
    body: str, ended: Ended, broke_off: bool, torch_zygote: Zygote
) -> None:
    """And it is the submission's own doing: by then the child has come up."""
    text = f"{NETWORK}\ndef verify(X, y, W1, b1, W2, b2):\n    {body}\n"
    record = tried(torch_zygote, text, seconds=1.0)
    assert record.trials == () and record.accepts is None
    assert record.reason.startswith(f"{ended}: ")
    assert record.broke_off == broke_off


@linux_only
def test_a_slow_verification_is_tried_as_long_as_there_is_time(torch_zygote: Zygote) -> None:
    slow = BOTH.replace("    loss, cache", "    import time; time.sleep(0.4)\n    loss, cache", 1)
    text = NETWORK + slow + "    return all(np.allclose(mine[k], theirs[k]) for k in mine)"
    record = tried(torch_zygote, text)
    assert record.reason == ""
    assert 0 < len(record.trials) < 13


# ── replies that are lies ────────────────────────────────────────────────────

TEXT = submission("a = 1\nb = 2\n")
TRIAL: dict[str, object] = {
    "case": "primes", "kind": "scale", "amount": 1.01, "tensor": "W1", "outcome": "refused",
    "by": "return", "file": "solution.py", "line": 2,
}  # fmt: skip


def read(**report: object) -> Verification:
    return read_verification({"report": json.dumps(report)}, TEXT)


def test_a_reply_as_it_should_be() -> None:
    record = read(form="function", accepts=True, accepts_as_is=True, trials=[TRIAL])
    (trial,) = record.trials
    assert (trial.kind, trial.error, trial.outcome, trial.line) == (
        CorruptionKind.SCALE,
        0.01,
        TrialOutcome.REFUSED,
        2,
    )
    assert (record.form, record.accepts, record.reason) == ("function", True, "")


@pytest.mark.parametrize(
    "lie",
    [{"tensor": "W9"}, {"kind": "none"}, {"amount": float("nan")}, {"amount": "1.01"},
     {"outcome": "perhaps"}, {"case": "other"}, {"by": None}, {"by": "magic"}, {"line": 2.5},
     {"outcome": "accepted"}, {"file": "x" * 5000}],
)  # fmt: skip
def test_a_trial_that_is_none_does_not_count(lie: dict[str, object]) -> None:
    assert read(trials=[TRIAL | lie]).trials == ()


@pytest.mark.parametrize(
    "place",
    [("solution.py", 4), ("solution.py", 0), ("/etc/passwd", 1), ("solution.py", -1),
     ("solution.py", 10**40)],
)  # fmt: skip
def test_a_line_that_is_not_there_is_none(place: tuple[str, int]) -> None:
    record = read(trials=[TRIAL | {"file": place[0], "line": place[1]}], verdict=place)
    assert [(t.file, t.line) for t in record.trials] == [("", 0)]
    assert record.verdict == ("", 0)


@pytest.mark.parametrize(
    "items",
    [{}, {"report": 3}, {"report": ""}, {"report": "[" * 5000}, {"report": "[]"},
     {"report": json.dumps({"trials": [TRIAL] * (MAX_TRIALS + 1)})},
     {"report": json.dumps({"accepts": "yes"})}, {"report": '{"stopped": "\\ud800"}'}],
)  # fmt: skip
def test_no_words_at_all(items: dict[str, object]) -> None:
    record = read_verification(items, TEXT)
    assert record.trials == () and record.accepts is None and not record.tested
    assert record.reason == "no words came"
