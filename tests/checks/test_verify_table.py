"""Which wrong gradients differently written verifications notice: found, against worked out by hand.

`pytest -s` prints the table.
"""

from __future__ import annotations

import json

import pytest

from grader.child.reports import CorruptionKind, TrialOutcome
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.observe.observe import Allowance
from grader.observe.trials import LADDER, Examinee, Trial
from grader.observe.verification import take_verification
from grader.observe.verification_record import Verification
from grader.observe.zygotes import Zygotes
from grader.problem import set_paper
from grader.records import SourceFile
from tests.sandbox.confined import linux_only

NETWORK = """
import numpy as np
import torch
import torch.nn.functional as F

def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    shifted = Z2 - Z2.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(y)), y].mean(), (X, y, W1, W2, Z1, H1, np.exp(logp))

def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = P.copy()
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dZ1 = dZ2 @ W2.T * (Z1 > 0)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": H1.T @ dZ2, "b2": dZ2.sum(0), "X": dZ1 @ W1.T}

def torch_forward_backward(X, y, W1, b1, W2, b2):
    given = dict(W1=W1, b1=b1, W2=W2, b2=b2, X=X)
    t = {n: torch.tensor(a, requires_grad=True) for n, a in given.items()}
    logits = torch.relu(t["X"] @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"]
    loss = F.cross_entropy(logits, torch.tensor(y))
    loss.backward()
    return loss.item(), {n: v.grad for n, v in t.items()}
"""

BOTH = """
def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    tloss, theirs = torch_forward_backward(X, y, W1, b1, W2, b2)
    theirs = {k: v.numpy() for k, v in theirs.items()}
"""

NUMBERS = """
rng = np.random.default_rng()
B = D = H = C = 6
X, y = rng.normal(size=(B, D)), rng.integers(0, C, B)
W1, b1 = rng.normal(size=(D, H)), rng.normal(size=H)
W2, b2 = rng.normal(size=(H, C)), rng.normal(size=C)
"""

ASSERTS = (
    NETWORK
    + BOTH
    + """
    for k in mine:
        assert np.allclose(mine[k], theirs[k], rtol=1e-7, atol=1e-10), k
"""
)
RETURNS = (
    NETWORK
    + BOTH
    + """
    ok = abs(loss - tloss) < 1e-9
    for k in mine:
        ok = ok and np.abs(mine[k] - theirs[k]).max() < 1e-9
    return bool(ok)
"""
)
DICT = (
    NETWORK
    + BOTH
    + """
    return {k: np.isclose(mine[k], theirs[k], rtol=1e-7, atol=1e-10).all() for k in mine}
"""
)
PRINTS = (
    NETWORK
    + BOTH
    + """
    for k in mine:
        gap = np.abs(mine[k] - theirs[k]).max()
        print(f"d{k}: max error {gap:.1e}", "✓" if gap < 1e-9 else "✗")
"""
)
UNUSED = (
    NETWORK
    + BOTH
    + """
    for name, gradient in mine.items():
        close = np.allclose(gradient, theirs[name], rtol=1e-7, atol=1e-10)
        print(name, np.abs(gradient - theirs[name]).max())
"""
)
TORCH = (
    NETWORK
    + """
from compare import same
def verify(X, y, W1, b1, W2, b2):
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return same(backward(forward(X, y, W1, b1, W2, b2)[1]), theirs)
"""
)
COMPARE = """
import torch

def same(a, b):
    tensors = [(torch.from_numpy(a[k]), b[k]) for k in a]
    return all(torch.allclose(p, q, rtol=1e-7, atol=1e-10) for p, q in tensors)
"""
NORM = (
    NETWORK
    + BOTH
    + """
    return max(np.linalg.norm(mine[k] - theirs[k]) / (np.linalg.norm(mine[k])
               + np.linalg.norm(theirs[k])) for k in mine)
"""
)
CELLS = [
    NETWORK,
    NUMBERS,
    """
_, cache = forward(X, y, W1, b1, W2, b2)
grads = backward(cache)
Xt, W1t, b1t, W2t, b2t = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
F.cross_entropy(torch.relu(Xt @ W1t + b1t) @ W2t + b2t, torch.tensor(y)).backward()
""",
    """
for name, tensor in zip(["W1", "b1", "W2", "b2", "X"], [W1t, b1t, W2t, b2t, Xt]):
    np.testing.assert_allclose(grads[name], tensor.grad.numpy(), rtol=1e-6, atol=1e-9)
""",
]
SCRIPT = (
    NETWORK
    + """
def main():
"""
    + NUMBERS.replace("\n", "\n    ")
    + """
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    for k, v in theirs.items():
        print(k, "match" if np.allclose(mine[k], v.numpy()) else "MISMATCH")

if __name__ == "__main__":
    main()
"""
)
INLINE = '''
import numpy as np, torch

class Net:
    def __init__(self, W1, b1, W2, b2):
        self.W1, self.b1, self.W2, self.b2 = W1, b1, W2, b2
        self.grad_W1, self.grad_b1 = np.zeros_like(W1), np.zeros_like(b1)
        self.grad_W2, self.grad_b2 = np.zeros_like(W2), np.zeros_like(b2)

    def step(self, X, y):
        """Row by row, adding up in place."""
        dX = np.empty_like(X)
        for i in range(len(X)):
            z = X[i] @ self.W1 + self.b1
            h = np.maximum(z, 0)
            s = h @ self.W2 + self.b2
            d = np.exp(s - s.max())
            d /= d.sum()
            d[y[i]] -= 1
            d /= len(X)
            self.grad_W2 += np.outer(h, d)
            self.grad_b2 += d
            dz = (self.W2 @ d) * (z > 0)
            self.grad_W1 += np.outer(X[i], dz)
            self.grad_b1 += dz
            dX[i] = self.W1 @ dz
        return dX

def verify(X, y, W1, b1, W2, b2):
    net = Net(W1, b1, W2, b2)
    dX = net.step(X, y)
    leaves = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    w1, c1, w2, c2, x = leaves
    loss = torch.nn.functional.cross_entropy((x @ w1 + c1).clamp(min=0) @ w2 + c2, torch.tensor(y))
    found = torch.autograd.grad(loss, leaves)
    errors = [float(np.abs(a - b.numpy()).max()) for a, b in
              zip((net.grad_W1, net.grad_b1, net.grad_W2, net.grad_b2, dX), found)]
    return max(errors) < 1e-9, errors
'''
WRONG = RETURNS.replace("    dZ2 /= len(y)\n", "")
THREE = (
    NETWORK
    + BOTH
    + """
    return all(np.allclose(mine[k], theirs[k], rtol=1e-7, atol=1e-10) for k in ("W1", "W2", "X"))
"""
)
LOOSE = (
    NETWORK
    + BOTH
    + """
    return all(np.allclose(mine[k], theirs[k], rtol=1e-1, atol=0) for k in mine)
"""
)
MEAN = (
    NETWORK
    + BOTH
    + """
    return all(abs(mine[k].mean() - theirs[k].mean()) < 1e-9 for k in mine)
"""
)
MEAN_OF_SIZES = (
    NETWORK
    + BOTH
    + """
    return all(abs(np.abs(mine[k]).mean() - np.abs(theirs[k]).mean()) < 1e-9 for k in mine)
"""
)
UNSIGNED = (
    NETWORK
    + BOTH
    + """
    return all(np.allclose(abs(mine[k]), abs(theirs[k]), rtol=1e-7, atol=1e-10) for k in mine)
"""
)
ITSELF = (
    NETWORK
    + """
def verify(X, y, W1, b1, W2, b2):
    a = backward(forward(X, y, W1, b1, W2, b2)[1])
    b = backward(forward(X, y, W1, b1, W2, b2)[1])
    return all(np.allclose(a[k], b[k]) for k in a)
"""
)

STYLES: dict[str, tuple[str, str]] = {
    "assert": (ASSERTS, "raise"),
    "bool": (RETURNS, "return"),
    "dict": (DICT, "return"),
    "print": (PRINTS, "print"),
    "unused": (UNUSED, "comparison"),
    "torch": (TORCH, "return"),
    "norm": (NORM, "number"),
    "cell": ("", "raise"),
    "script": (SCRIPT, "print"),
    "inline": (INLINE, "return"),
    "wrong": (WRONG, "return"),
    "three": (THREE, "return"),
    "loose": (LOOSE, "return"),
    "mean": (MEAN, "return"),
    "sizes": (MEAN_OF_SIZES, "return"),
    "itself": (ITSELF, ""),
    "unsigned": (UNSIGNED, "return"),
}
"""Source, and by what it refuses. `cell` is a notebook; `wrong` has a bug in its backward."""

# Worked out before the program ran. x noticed, · missed, - cannot be spoiled so: a bias has no
# transpose, and W2 and b2 do not pass the mask. `three` looks at W1, W2, X. An rtol of 0.1 lets
# 1 % pass and nothing else. The rows of dZ2 sum to 0, so the entries of db2 and of dW2 = H1ᵀ dZ2
# do as well, and their mean is 0 under any factor; a mean never sees a transpose. A mean of
# sizes does not see the sign either, and neither does `unsigned`, which sees all the rest.
# `itself` compares a wrong gradient with the same wrong one.
BY_HAND = """
             assert bool dict print unused torch norm cell script inline wrong three loose mean sizes itself unsigned
W1 1.01       x      x    x    x     x      x     x    x    x      x      x     x     ·     x    x     ·      x
b1 1.01       x      x    x    x     x      x     x    x    x      x      x     ·     ·     x    x     ·      x
W2 1.01       x      x    x    x     x      x     x    x    x      x      x     x     ·     ·    x     ·      x
b2 1.01       x      x    x    x     x      x     x    x    x      x      x     ·     ·     ·    x     ·      x
X  1.01       x      x    x    x     x      x     x    x    x      x      x     x     ·     x    x     ·      x
W1 entry      x      x    x    x     x      x     x    x    x      x      x     x     x     x    x     ·      x
b1 entry      x      x    x    x     x      x     x    x    x      x      x     ·     x     x    x     ·      x
W2 entry      x      x    x    x     x      x     x    x    x      x      x     x     x     x    x     ·      x
b2 entry      x      x    x    x     x      x     x    x    x      x      x     ·     x     x    x     ·      x
X  entry      x      x    x    x     x      x     x    x    x      x      x     x     x     x    x     ·      x
W1 transpose  x      x    x    x     x      x     x    x    x      x      x     x     x     ·    ·     ·      x
b1 transpose  -      -    -    -     -      -     -    -    -      -      -     -     -     -    -     -      -
W2 transpose  x      x    x    x     x      x     x    x    x      x      x     x     x     ·    ·     ·      x
b2 transpose  -      -    -    -     -      -     -    -    -      -      -     -     -     -    -     -      -
X  transpose  x      x    x    x     x      x     x    x    x      x      x     x     x     ·    ·     ·      x
W1 2          x      x    x    x     x      x     x    x    x      x      x     x     x     x    x     ·      x
b1 2          x      x    x    x     x      x     x    x    x      x      x     ·     x     x    x     ·      x
W2 2          x      x    x    x     x      x     x    x    x      x      x     x     x     ·    x     ·      x
b2 2          x      x    x    x     x      x     x    x    x      x      x     ·     x     ·    x     ·      x
X  2          x      x    x    x     x      x     x    x    x      x      x     x     x     x    x     ·      x
W1 1/B        x      x    x    x     x      x     x    x    x      x      x     x     x     x    x     ·      x
b1 1/B        x      x    x    x     x      x     x    x    x      x      x     ·     x     x    x     ·      x
W2 1/B        x      x    x    x     x      x     x    x    x      x      x     x     x     ·    x     ·      x
b2 1/B        x      x    x    x     x      x     x    x    x      x      x     ·     x     ·    x     ·      x
X  1/B        x      x    x    x     x      x     x    x    x      x      x     x     x     x    x     ·      x
W1 -1         x      x    x    x     x      x     x    x    x      x      x     x     x     x    ·     ·      ·
b1 -1         x      x    x    x     x      x     x    x    x      x      x     ·     x     x    ·     ·      ·
W2 -1         x      x    x    x     x      x     x    x    x      x      x     x     x     ·    ·     ·      ·
b2 -1         x      x    x    x     x      x     x    x    x      x      x     ·     x     ·    ·     ·      ·
X  -1         x      x    x    x     x      x     x    x    x      x      x     x     x     x    ·     ·      ·
W1 mask       x      x    x    x     x      x     x    x    x      x      x     x     x     x    x     ·      x
b1 mask       x      x    x    x     x      x     x    x    x      x      x     ·     x     x    x     ·      x
W2 mask       -      -    -    -     -      -     -    -    -      -      -     -     -     -    -     -      -
b2 mask       -      -    -    -     -      -     -    -    -      -      -     -     -     -    -     -      -
X  mask       x      x    x    x     x      x     x    x    x      x      x     x     x     x    x     ·      x
"""
PAPER = set_paper(11)
BATCH = PAPER.cases["primes"].sizes["B"]
AMOUNTS = {"1.01": 1.01, "2": 2.0, "1/B": 1 / BATCH, "-1": -1.0}


def expected() -> dict[str, dict[str, str]]:
    """Style → row → mark."""
    head, *rows = BY_HAND.strip("\n").splitlines()
    names = head.split()
    marks = [(" ".join(row.split()[:2]), row.split()[2:]) for row in rows]
    return {n: {row: cells[i] for row, cells in marks} for i, n in enumerate(names)}


def tried(style: str, zygotes: Zygotes) -> Verification:
    files = {"solution.py": STYLES[style][0], "compare.py": COMPARE}
    if style == "cell":
        cells = [{"cell_type": "code", "source": text} for text in CELLS]
        files = {"homework.ipynb": json.dumps({"cells": cells})}
    read = Read(tuple(SourceFile(n, t.encode()) for n, t in files.items()), ())
    submission = assemble(style, style, read)
    return take_verification(Examinee(submission, PAPER, zygotes.torch, Allowance()), thorough=True)


def row_of(trial: Trial) -> str:
    if trial.kind is not CorruptionKind.SCALE:
        return f"{trial.tensor} {trial.kind}"
    name = next((n for n, amount in AMOUNTS.items() if abs(amount - trial.amount) < 1e-12), "")
    return f"{trial.tensor} {name}"


def found(record: Verification) -> dict[str, str]:
    """Row → mark, of the trials that were made."""
    marks = {TrialOutcome.REFUSED: "x", TrialOutcome.NOT_APPLICABLE: "-"}
    return {row_of(t): marks.get(t.outcome, "·") for t in record.trials}


@pytest.fixture(scope="module")
def records(zygotes: Zygotes) -> dict[str, Verification]:
    return {style: tried(style, zygotes) for style in STYLES}


@linux_only
def test_every_cell_is_as_worked_out_by_hand(records: dict[str, Verification]) -> None:
    table = {style: found(record) for style, record in records.items()}
    rows = list(expected()["bool"])
    print("\n" + " " * 13 + " ".join(f"{style:>6}" for style in STYLES))
    for row in rows:
        print(f"{row:13}" + " ".join(f"{table[s].get(row, '-'):>6}" for s in STYLES))
    for style, marks in expected().items():
        got = {row: table[style].get(row, "-") for row in rows}
        assert got == marks, style


@linux_only
@pytest.mark.parametrize("style", STYLES)
def test_what_is_said_beside_the_table(style: str, records: dict[str, Verification]) -> None:
    record = records[style]
    assert record.reason == ""
    assert record.form == ("script" if style in ("cell", "script") else "function")
    assert record.accepts is True
    assert record.equalised is (style == "wrong")
    assert {t.by for t in record.trials if t.by} == {STYLES[style][1]} - {""}
    overlooked = {"three": ("b1", "b2"), "itself": ("W1", "b1", "W2", "b2", "X")}
    assert record.overlooked == overlooked.get(style, ())


@linux_only
def test_the_line_is_that_of_the_comparison(records: dict[str, Verification]) -> None:
    for style, text in (("assert", "assert np.allclose"), ("bool", ".max() < 1e-9"),
                        ("torch", "torch.allclose"), ("script", '"match" if')):  # fmt: skip
        lines = {
            (t.file, t.line) for t in records[style].trials if t.outcome is TrialOutcome.REFUSED
        }
        assert len(lines) == 1, style
        (file, line) = lines.pop()
        assert text in records[style].sources[file][line - 1]


@linux_only
def test_the_largest_error_that_passes(records: dict[str, Verification]) -> None:
    """rtol 0.1: 10 % of the other side's entry passes, but for rounding; 20 % does not."""
    steps = [0.05, 0.1]
    assert all(records["loose"].loosest(t) in steps for t in ("W1", "b1", "W2", "b2", "X"))
    assert records["bool"].loosest("W1") == 0.0
    assert records["mean"].loosest("W2") == LADDER[-1], "a mean of 0 is 0 under any factor"
