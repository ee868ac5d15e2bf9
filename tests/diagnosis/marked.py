"""A right solution with mistakes made in it, the lines to be found marked `# here`."""

from __future__ import annotations

from collections.abc import Sequence

from grader.cohort import Engine
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import Defect, SourceFile, Submission

HERE = "# here"
TRIES = 3

SOURCE = """\
import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    S = Z2 - Z2.max(axis=1, keepdims=True)
    total = np.exp(S).sum(axis=1, keepdims=True)
    logP = S - np.log(total)
    picked = logP[np.arange(len(y)), y]
    loss = -picked.mean()
    return loss, {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": np.exp(logP)}


def backward(cache):
    X, y, W1, W2 = cache["X"], cache["y"], cache["W1"], cache["W2"]
    Z1, H1 = cache["Z1"], cache["H1"]
    G = cache["P"].copy()
    G[np.arange(len(y)), y] -= 1
    dZ2 = G / len(y)
    dW2 = H1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dH1 = dZ2 @ W2.T
    dZ1 = dH1 * (Z1 > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    dX = dZ1 @ W1.T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    x = torch.tensor(X, requires_grad=True)
    w1 = torch.tensor(W1, requires_grad=True)
    c1 = torch.tensor(b1, requires_grad=True)
    w2 = torch.tensor(W2, requires_grad=True)
    c2 = torch.tensor(b2, requires_grad=True)
    hidden = torch.relu(x @ w1 + c1)
    logits = hidden @ w2 + c2
    loss = F.cross_entropy(logits, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"W1": w1.grad, "b1": c1.grad, "W2": w2.grad, "b2": c2.grad, "X": x.grad}


def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    tol = 1e-9 if X.dtype == np.float64 else 1e-4
    for name in mine:
        if np.abs(mine[name] - theirs[name].numpy()).max() > tol:
            return False
    return True
"""

Change = tuple[str, str]


def changed(changes: Sequence[Change], source: str = SOURCE) -> str:
    """The source with lines replaced; each `old` must be there once."""
    for old, new in changes:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


def marked(source: str) -> list[int]:
    """The lines that carry the mark."""
    return [n for n, line in enumerate(source.splitlines(), 1) if HERE in line]


def submission(source: str) -> Submission:
    """A submission of one file."""
    return assemble("marked", "marked", Read((SourceFile("solution.py", source.encode()),), ()))


def diagnosed(engine: Engine, source: str, code: str) -> Defect:
    """What is said of a source under a code; again where a busy machine let a trace starve."""
    for _ in range(TRIES):
        result = engine.grade(submission(source))
        assert result.fault == ""
        found = [d for d in result.defects if d.code == code]
        if found and found[0].line is not None:
            return found[0]
    assert found, [d.code for d in result.defects]
    return found[0]
