"""Finite-difference checks in many styles: what is said of their steps, trials and leavings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.checks.check import Conclusion
from grader.checks.differences import (
    DIFFERENCES,
    fd_accurate,
    fd_catches,
    fd_restores,
    steppings,
)
from grader.checks.view import View
from grader.child.reports import CorruptionKind, DifferenceForm, Tolerance
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.observe.difference_check import DifferenceCheck, take_difference_check
from grader.observe.observe import Allowance
from grader.observe.trials import Examinee
from grader.observe.zygotes import Zygotes
from grader.problem import Exam, set_paper
from grader.problem.compare import STEP
from grader.records import (
    Array,
    CheckStatus,
    Ended,
    Observation,
    Observations,
    ProcessReport,
    SourceFile,
    Submission,
)
from tests.checks.simulation import central, fails, left_open, passes, waits
from tests.checks.test_verify_table import BOTH, NETWORK
from tests.sandbox.confined import linux_only

ROOT = Path(__file__).parents[2]
PAPER = set_paper(12)
FINE = ProcessReport(Observation(Ended.OK))


def test_fd_accurate() -> None:
    fails(fd_accurate, differences=central(step=0.1), says="the step of W1: got 0.1")
    fails(fd_accurate, differences=central(sides=(1,)), says="got to one side")
    passes(fd_accurate, differences=central(step=1e-4))
    left_open(fd_accurate, differences=DifferenceCheck())


def test_fd_catches() -> None:
    fails(
        fd_catches, differences=central(b1=(CorruptionKind.SCALE,)), says="accepts db1 times 1.01"
    )
    left_open(fd_catches, differences=replace(central(), kind=DifferenceForm.HELPER))
    refusing = replace(central(), trials=replace(central().trials, accepts=False))
    waits(fd_catches, differences=refusing)


def test_fd_restores() -> None:
    after = {**central().after, "W1": central().after["W1"] + 1e-5}
    fails(fd_restores, differences=replace(central(), after=after), says="W1 after it")


LOOP = """
def gradient_check(X, y, W1, b1, W2, b2):
    given = {"X": X, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
    grads = backward(forward(X, y, W1, b1, W2, b2)[1])
    h, worst = 1e-5, 0.0
    for name, value in given.items():
        for i in np.ndindex(value.shape):
            old = value[i]
            value[i] = old + h
            up = forward(X, y, W1, b1, W2, b2)[0]
            value[i] = old - h
            down = forward(X, y, W1, b1, W2, b2)[0]
            value[i] = old
            slope = (up - down) / (2 * h)
            worst = max(worst, abs(slope - grads[name][i]) / max(abs(slope), 1e-8))
    return worst
"""
ONE_SIDED = LOOP.replace("value[i] = old - h", "value[i] = old").replace("(2 * h)", "h")
HELPER = """
def numerical_gradient(f, x, h=1e-5):
    g = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"])
    for _ in it:
        ix, old = it.multi_index, x[it.multi_index]
        x[ix] = old + h
        above = f(x)
        x[ix] = old - h
        g[ix] = (above - f(x)) / (2 * h)
        x[ix] = old
    return g
"""
ASSERTS = (
    HELPER
    + """
def check_gradients(X, y, W1, b1, W2, b2):
    grads = backward(forward(X, y, W1, b1, W2, b2)[1])
    for k, v in dict(W1=W1, b1=b1, W2=W2, b2=b2, X=X).items():
        numeric = numerical_gradient(lambda _: forward(X, y, W1, b1, W2, b2)[0], v)
        assert np.allclose(numeric, grads[k], rtol=1e-5, atol=1e-8), k
"""
)
SPARSE = """
def grad_check_sparse(f, x, analytic_grad, num_checks=10, h=1e-5):
    for _ in range(num_checks):
        ix = tuple(np.random.randint(m) for m in x.shape)
        old = x[ix]
        x[ix] = old + h
        above = f(x)
        x[ix] = old - h
        below = f(x)
        x[ix] = old
        print("relative error: %e" % abs((above - below) / (2 * h) / analytic_grad[ix] - 1))
"""
CONTAINER = """
def finite_difference_test(params, grads, X, y, eps=1e-6, tol=1e-5):
    good = True
    for k in params:
        flat = params[k].ravel()
        for i in range(flat.size):
            old = flat[i]
            flat[i] = old + eps
            above = forward(X, y, **params)[0]
            flat[i] = old - eps
            below = forward(X, y, **params)[0]
            flat[i] = old
            good &= abs((above - below) / (2 * eps) - grads[k].ravel()[i]) < tol
    return {"gradients agree": good}
"""
DRAWN = """
def gradient_check(X, y, W1, b1, W2, b2, n=10):
    grads = backward(forward(X, y, W1, b1, W2, b2)[1])
    given = dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2)
    for k in given:
        for j in np.random.choice(given[k].size, n, replace=False):
            ends = []
            for sign in (1, -1):
                moved = {name: value.copy() for name, value in given.items()}
                moved[k].flat[j] += sign * 1e-6
                ends.append(forward(y=y, **moved)[0])
            if abs((ends[0] - ends[1]) / 2e-6 - grads[k].flat[j]) > 1e-7:
                return False
    return True
"""
DIRECTED = """
def gradient_check(X, y, W1, b1, W2, b2):
    grads = backward(forward(X, y, W1, b1, W2, b2)[1])
    given, worst = dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2), 0.0
    for k, value in given.items():
        for _ in range(3):
            v = 1e-5 * np.random.normal(size=value.shape)
            above = forward(y=y, **{**given, k: value + v})[0]
            below = forward(y=y, **{**given, k: value - v})[0]
            worst = max(worst, abs((above - below) / 2 - np.sum(grads[k] * v)) / 1e-5)
    return worst
"""
ALONE = """
def numeric_check():
    rng = np.random.RandomState(0)
    X, y, W1, b1 = rng.randn(4, 5), rng.randint(0, 3, 4), rng.randn(5, 6), rng.randn(6)
    W2, b2 = rng.randn(6, 3), rng.randn(3)
    grads = backward(forward(X, y, W1, b1, W2, b2)[1])
    for name, p in (("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2), ("X", X)):
        for i in np.ndindex(p.shape):
            old = p[i]
            p[i] = old + 1e-5
            above = forward(X, y, W1, b1, W2, b2)[0]
            p[i] = old - 1e-5
            below = forward(X, y, W1, b1, W2, b2)[0]
            p[i] = old
            if abs((above - below) / 2e-5 - grads[name][i]) > 1e-7:
                print("MISMATCH in", name)
"""
SINGLE = LOOP.replace("X, y, W1, b1, W2, b2):", "*args):", 1).replace(
    "    given", "    X, y, W1, b1, W2, b2 = (a.astype(a.dtype.char.replace('d', 'f')) for a in args)\n    given", 1
)  # fmt: skip
METHOD = '''
import numpy as np

class Net:
    def __init__(self, D, H, C):
        self.params = {"W1": np.random.randn(D, H), "b1": np.zeros(H),
                       "W2": np.random.randn(H, C), "b2": np.zeros(C)}

    def loss(self, X, y):
        p = self.params
        self.X, self.y, self.Z1 = X, y, X @ p["W1"] + p["b1"]
        self.H1 = np.maximum(self.Z1, 0)
        s = self.H1 @ p["W2"] + p["b2"]
        s = s - s.max(1, keepdims=True)
        self.P = np.exp(s) / np.exp(s).sum(1, keepdims=True)
        return -np.log(self.P[np.arange(len(y)), y]).mean()

    def backward(self):
        d = self.P.copy()
        d[np.arange(len(self.y)), self.y] -= 1
        d /= len(self.y)
        g = d @ self.params["W2"].T * (self.Z1 > 0)
        return {"dW1": self.X.T @ g, "db1": g.sum(0), "dW2": self.H1.T @ d, "db2": d.sum(0),
                "dX": g @ self.params["W1"].T}

    def gradient_check(self, X, y, eps=1e-5):
        """Of the parameters; X is left out."""
        self.loss(X, y)
        grads, errors = self.backward(), {}
        for k, p in self.params.items():
            numeric = np.zeros_like(p)
            for i in np.ndindex(p.shape):
                old = p[i]
                p[i] = old + eps
                above = self.loss(X, y)
                p[i] = old - eps
                numeric[i] = (above - self.loss(X, y)) / (2 * eps)
                p[i] = old
            errors[k] = np.linalg.norm(numeric - grads["d" + k]) / np.linalg.norm(numeric)
        return errors
'''
BUG = NETWORK.replace("    dZ2 /= len(y)\n", "")
CONSTANT = "\ndef gradient_check(X, y, W1, b1, W2, b2):\n    return 1e-9\n"
AUTOGRAD = """
def gradient_check(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.allclose(mine[k], theirs[k].numpy()) for k in mine)
"""
STUB = "\ndef gradient_check(X, y, W1, b1, W2, b2):\n    pass\n"

WITHIN = (
    BOTH
    + """
    good = abs(loss - tloss) < 1e-9
    h = 1e-5
    for k, value in dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2).items():
        good &= bool(np.allclose(mine[k], theirs[k], rtol=1e-7, atol=1e-10))
        for i in np.ndindex(value.shape):
            old = value[i]
            value[i] = old + h
            up = forward(X, y, W1, b1, W2, b2)[0]
            value[i] = old - h
            down = forward(X, y, W1, b1, W2, b2)[0]
            value[i] = old
            good &= bool(abs((up - down) / (2 * h) - mine[k][i]) < 1e-6)
    return good
"""
)
UNHEARD = WITHIN.replace("            good &= bool(abs(", "            unused = bool(abs(")
DRAW = """
X, y = np.random.randn(4, 5), np.array([0, 2, 1, 2])
W1, b1, W2, b2 = np.random.randn(5, 6), np.random.randn(6), np.random.randn(6, 3), np.zeros(3)
loss, cache = forward(X, y, W1, b1, W2, b2)
grads = backward(cache)
"""
STEPS = """
EPS = 1e-5
for name, p in (("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2), ("X", X)):
    for i in np.ndindex(p.shape):
        old = p[i]
        p[i] = old + EPS
        up, _ = forward(X, y, W1, b1, W2, b2)
        p[i] = old - EPS
        down, _ = forward(X, y, W1, b1, W2, b2)
        p[i] = old
        assert abs((up - down) / (2 * EPS) - grads[name][i]) < 1e-7, name
"""
SCRIPT = DRAW + STEPS
ERRORS = SCRIPT.replace("    for i in", "    worst = 0\n    for i in")
ERRORS = ERRORS.replace("        assert abs(", "        worst = max(worst, abs(")
ERRORS = ERRORS.replace(") < 1e-7, name", "))\n    print(name, 'max error', worst)")
SHOWN = SCRIPT.replace("assert abs(", "print(name, (").replace(" - grads", "), grads")
SHOWN = SHOWN.replace(" < 1e-7, name", "")
CALLING = (
    HELPER
    + DRAW
    + """
W1_n = numerical_gradient(lambda w: forward(X, y, w, b1, W2, b2)[0], W1)
W2_n = numerical_gradient(lambda w: forward(X, y, W1, b1, w, b2)[0], W2)
assert np.allclose(W1_n, grads["W1"], atol=1e-7) and np.allclose(W2_n, grads["W2"], atol=1e-7)
"""
)
DEMO = (
    "\ndef demo():" + SCRIPT.replace("\n", "\n    ") + "\nif __name__ == '__main__':\n    demo()\n"
)
TRAINING = """
for step in range(100):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    g = backward(cache)
    W1, b1 = W1 - 0.1 * g["W1"], b1 - 0.1 * g["b1"]
    W2, b2 = W2 - 0.1 * g["W2"], b2 - 0.1 * g["b2"]
grads = backward(forward(X, y, W1, b1, W2, b2)[1])
"""
CELLS = (
    (ROOT / "tests/child/binding/styles/notebook_variables.py").read_text()
    + """
h = 1e-6
for k, p in {"W1": W1, "b1": b1, "W2": W2, "b2": b2}.items():
    for i in np.ndindex(p.shape):
        old = p[i]
        p[i] = old + h
        up = loss_fn(forward(X)[2], y)
        p[i] = old - h
        down = loss_fn(forward(X)[2], y)
        p[i] = old
        if abs((up - down) / (2 * h) - grads[k][i]) > 1e-6:
            print("WRONG", k, i)
"""
)
UNASKED = "\ndef verify():" + SCRIPT.replace("\n", "\n    ") + "\n    return True\n"
TO_TORCH = BOTH + "    return all(np.allclose(mine[k], theirs[k]) for k in mine)\n"
DIFFERENCED = (ROOT / "submissions/clara-novak/solution.py").read_text()
SUMMED = NETWORK.replace("torch.tensor(y))", "torch.tensor(y), reduction='sum')")

STYLES: dict[str, tuple[str, str]] = {
    "loop, a number": (NETWORK + LOOP, "check ..."),
    "one-sided": (NETWORK + ONE_SIDED, "check x.."),
    "one-sided, h 1e-8": (NETWORK + ONE_SIDED.replace("1e-5", "1e-8"), "check x.."),
    "h 0.05": (NETWORK + LOOP.replace("1e-5", "0.05"), "check x.."),
    "h 1e-3": (NETWORK + LOOP.replace("1e-5", "1e-3"), "check ..."),
    "h 1e-9": (NETWORK + LOOP.replace("1e-5", "1e-9"), "check ..."),
    "h 1e-11": (NETWORK + LOOP.replace("1e-5", "1e-11"), "check x.."),
    "not put back": (NETWORK + LOOP.replace("            value[i] = old\n", ""), "check ..x"),
    "always yes": (NETWORK + LOOP.replace("return worst", "return worst < 2"), "check .x."),
    "helper and asserts": (NETWORK + ASSERTS, "check ..."),
    "helper alone": (NETWORK + HELPER, "helper .?."),
    "helper, one-sided": (
        NETWORK + HELPER.replace("old - h", "old").replace("(2 * h)", "h"), "helper x?."
    ),
    "helper, wrong quotient": (NETWORK + HELPER.replace("(2 * h)", "h"), "helper x?."),
    "helper that prints": (NETWORK + SPARSE, "comparing ..."),
    "container and grads": (NETWORK + CONTAINER, "check .x."),
    "drawn entries": (NETWORK + DRAWN, "check ..."),
    "random directions": (NETWORK + DIRECTED, "check ..."),
    "numbers of its own": (NETWORK + ALONE, "check ..."),
    "in float32": (NETWORK + SINGLE, "check xx."),
    "method of a class": (METHOD, "check .x."),
    "backward wrong": (BUG + LOOP, "check ..."),
    "a constant": (NETWORK + CONSTANT, "check xx."),
    "against autograd": (NETWORK + AUTOGRAD, " ???"),
    "a stub": (NETWORK + STUB, " ???"),
    "none": (NETWORK, " ???"),
    "within verify": (NETWORK + WITHIN, "check ..."),
    "within verify, one-sided": (
        NETWORK + WITHIN.replace("old - h", "old").replace("(2 * h)", "h"), "check x?."
    ),
    "within verify, unheard": (NETWORK + UNHEARD, "check .?."),
    "within verify, W1 only": (
        NETWORK + WITHIN.replace("dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2)", "dict(W1=W1)"), "check .x."
    ),
    "within verify, backward wrong": (BUG + WITHIN, "check ..."),
    "within verify, torch wrong": (SUMMED + WITHIN, "check .?."),
    "verify of its own numbers": (NETWORK + UNASKED, "check ..."),
    "verify runs a backward of differences": (DIFFERENCED, " ???"),
    "script": (NETWORK + SCRIPT, "check ..."),
    "script, h 0.05": (
        NETWORK + SCRIPT.replace("EPS = 1e-5", "EPS = 0.05").replace("1e-7", "1e-1"), "check xx."
    ),
    "script, not put back": (NETWORK + SCRIPT.replace("        p[i] = old\n", ""), "check .?x"),
    "script beside verify": (NETWORK + TO_TORCH + SCRIPT, "check ..."),
    "script prints errors": (NETWORK + ERRORS, "check ..."),
    "script prints both": (NETWORK + SHOWN, "check .?."),
    "script calls a helper": (NETWORK + CALLING, "check .x."),
    "script calls a function": (NETWORK + DEMO, "check ..."),
    "script trains first": (NETWORK + DRAW + TRAINING + STEPS, "check ..."),
    "script trains after": (NETWORK + SCRIPT + TRAINING, "check ..."),
    "script without six arguments": (CELLS, "check .x."),
}  # fmt: skip
"""Source, and by hand: its kind, then accurate, catches, restores: . passes, x fails, ? is open.

h²/6 + eps/h is 4e-4 at 0.05, 2e-7 at 1e-3 and at 1e-9, and 2e-5 at 1e-11, where the limit is
1e-6. In float32 it is 1e-2 at 1e-5, where 2e-5 can be had, and hides an error of 1 %. `container and grads` and the
class leave X out; `calls a helper` compares two of five. What is one-sided or not put back makes
its own assertions fail, so that no trial says anything. `drawn entries` draws 10, more than the small inputs have.
"""
MARKS = {CheckStatus.PASS: ".", CheckStatus.FAIL: "x", CheckStatus.MANUAL: "?"}


def submission(text: str) -> Submission:
    return assemble("id", "name", Read((SourceFile("solution.py", text.encode()),), ()))


def outcomes(record: DifferenceCheck) -> list[Conclusion]:
    exam = Exam(PAPER, {}, (0.0, 0.0))
    seen = View(exam, Observations(FINE, FINE, {}), differences=record)
    return [check.run(seen) for check in DIFFERENCES]


@linux_only
@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_judged_as_worked_out_by_hand(style: str, zygotes: Zygotes) -> None:
    text, wanted = STYLES[style]
    record = take_difference_check(Examinee(submission(text), PAPER, zygotes.torch, Allowance()))
    found = outcomes(record)
    marks = "".join(MARKS.get(outcome.status, "-") for outcome in found)
    assert f"{record.kind} {marks}" == wanted, [o.message for o in found]
    assert record.reason == ""


@linux_only
def test_what_is_noticed_of_which_tensor(zygotes: Zygotes) -> None:
    text = NETWORK + CONTAINER
    record = take_difference_check(Examinee(submission(text), PAPER, zygotes.torch, Allowance()))
    assert record.trials.overlooked == ("X",)
    assert record.place == ("solution.py", text.splitlines().index(CONTAINER.splitlines()[1]) + 1)
    assert {s.tensor for s in steppings(record)} == {"W1", "b1", "W2", "b2"}


@linux_only
@pytest.mark.parametrize(
    ("limit", "passes", "stops", "words"),
    [
        ("3e-6", 1e-6, 1e-5, "1e-06 passes, 1e-05 does not"),
        ("0.03", 0.02, 0.05, "0.02 passes, 0.05 does not"),
    ],
)
def test_where_its_tolerance_lies(
    limit: str, passes: float, stops: float, words: str, zygotes: Zygotes
) -> None:
    text = NETWORK + LOOP.replace("1e-8", "1e-2").replace("return worst", f"return worst < {limit}")
    record = take_difference_check(Examinee(submission(text), PAPER, zygotes.torch, Allowance()))
    assert record.tolerance == Tolerance("W1", passes, stops)
    catches = outcomes(record)[1]
    assert catches.status is (CheckStatus.PASS if passes < 0.01 else CheckStatus.FAIL)
    (line,) = (e for e in catches.evidence if "lets through" in e.what)
    assert (line.observed, line.verdict) == (words, catches.status)


@linux_only
def test_a_number_has_no_tolerance_of_its_own(zygotes: Zygotes) -> None:
    record = take_difference_check(
        Examinee(submission(NETWORK + LOOP), PAPER, zygotes.torch, Allowance())
    )
    assert record.number is not None and record.tolerance is None
    assert not any("lets through" in e.what for e in outcomes(record)[1].evidence)


@linux_only
@pytest.mark.parametrize("body", ["while True: pass", "import os; os._exit(0)"])
def test_what_ends_the_child_leaves_a_reason(body: str, zygotes: Zygotes) -> None:
    text = f"{NETWORK}\ndef gradient_check(X, y, W1, b1, W2, b2):\n    {body}\n"
    record = take_difference_check(Examinee(submission(text), PAPER, zygotes.torch, Allowance(1.0)))
    assert record.kind == ""
    assert record.reason
    assert {o.status for o in outcomes(record)} == {CheckStatus.MANUAL}


# ── what points say ──────────────────────────────────────────────────────────

CASE = PAPER.cases["middle"]
EYE = np.eye(CASE.W1.size).reshape(-1, *CASE.W1.shape)


def taken(*moves: Array, dtype: type = np.float64) -> DifferenceCheck:
    """A check that took the loss at W1 plus each of these."""
    points = np.array([(CASE.W1 + move) for move in moves], dtype)
    return DifferenceCheck(DifferenceForm.CHECK, "f", case=CASE, points={"W1": points})


DIRECTIONS = np.random.default_rng(0).normal(size=(4, *CASE.W1.shape))


@pytest.mark.parametrize(
    ("moves", "central"),
    [
        ([s * STEP * EYE[i] for i in range(9) for s in (1, -1)], True),
        ([STEP * EYE[i] for i in range(9)], False),
        ([s * STEP * EYE[i] for i in range(9) for s in (2, 1, -1, -2)], True),
        ([s * STEP * d for d in DIRECTIONS for s in (1, -1)], True),
        ([STEP * d for d in DIRECTIONS], False),
        ([s * STEP * EYE[i] for i in range(9) for s in (1, 2)], False),
        ([s * (i + 1) * STEP * EYE[i] for i in range(9) for s in (1, -1)], True),
    ],
    ids=["entries", "entries, one side", "five points", "directions", "directions, one side",
         "one side twice", "relative steps"],
)  # fmt: skip
def test_both_sides(moves: list[Array], central: bool) -> None:
    (found,) = steppings(taken(*moves))
    assert found.central is central
    assert not found.lingers


@pytest.mark.parametrize(
    ("step", "dtype", "verdict"),
    [
        (STEP, np.float64, (False, False)), (2e-3, np.float64, (False, False)),
        (3e-3, np.float64, (True, False)), (3e-10, np.float64, (False, False)),
        (2e-10, np.float64, (False, True)), (5e-3, np.float32, (False, False)),
        (0.1, np.float32, (True, False)), (1e-5, np.float32, (False, True)),
    ],
)  # fmt: skip
def test_steps_that_fit_the_dtype(step: float, dtype: type, verdict: tuple[bool, bool]) -> None:
    points = taken(*(s * step * EYE[i] for i in range(9) for s in (1, -1)), dtype=dtype)
    (found,) = steppings(points)
    assert (found.too_large, found.too_small) == verdict


def test_steps_that_stay() -> None:
    left = np.cumsum([-STEP * EYE[i] for i in range(9)], axis=0)
    moves = [STEP * EYE[0], -STEP * EYE[0]]
    for i in range(1, 9):
        moves += [left[i - 1] + STEP * EYE[i], left[i - 1] - STEP * EYE[i]]
    (found,) = steppings(taken(*moves))
    assert found.central
    assert found.lingers


def test_rounding_that_stepping_back_leaves_is_no_step() -> None:
    left = [k * 2e-16 * np.ones_like(CASE.W1) for k in range(1, 5)]
    (found,) = steppings(taken(STEP * EYE[3], -STEP * EYE[3], *left))
    assert found.central
    assert found.step == pytest.approx(STEP, rel=1e-6)


def test_points_that_are_not_finite_are_none() -> None:
    assert steppings(taken(np.full(CASE.W1.shape, np.nan))) == []
