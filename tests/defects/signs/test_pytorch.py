"""A PyTorch part that stops at a gradient that is None is told what cut its graph."""

from __future__ import annotations

import textwrap

import pytest

from grader.cohort import Engine
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import Confidence, Defect, SourceFile

HEAD = """
import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    shifted = Z2 - Z2.max(axis=1, keepdims=True)
    logP = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logP[np.arange(len(y)), y].mean(), (X, y, W1, W2, Z1, H1, np.exp(logP))


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = P.copy()
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dZ1 = dZ2 @ W2.T * (Z1 > 0)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": H1.T @ dZ2, "b2": dZ2.sum(0), "X": dZ1 @ W1.T}

"""
TAIL = """

def verify(X, y, W1, b1, W2, b2):
    ours = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.allclose(ours[k], theirs[k]) for k in ours)
"""
PART = """
def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2)]
    x = torch.tensor(X, requires_grad=True)
    w1, c1, w2, c2 = leaves
    hidden = F.relu(x @ w1 + c1)
    loss = F.cross_entropy(hidden @ w2 + c2, torch.tensor(y).long())
    kept = loss.detach()
    loss.backward()
    named = zip(("W1", "b1", "W2", "b2", "X"), (*leaves, x))
    return kept, {n: t.grad.numpy() for n, t in named}
"""
ASKED = """    loss.backward()
    named = zip(("W1", "b1", "W2", "b2", "X"), (*leaves, x))
    return kept, {n: t.grad.numpy() for n, t in named}
"""
BY_GRAD = """    grads = torch.autograd.grad(loss, (*leaves, x))
    return kept, dict(zip(("W1", "b1", "W2", "b2", "X"), grads))
"""


def torch_defects(engine: Engine, part: str) -> list[Defect]:
    source = HEAD + textwrap.dedent(part) + TAIL
    file = SourceFile("solution.py", source.encode())
    result = engine.grade(assemble("cut", "cut", Read((file,), ())))
    assert not result.fault
    return [d for d in result.defects if not d.code.startswith("verify")]


def test_the_part_is_right_as_it_stands(engine: Engine) -> None:
    for part in (PART, PART.replace(ASKED, BY_GRAD)):
        assert part == PART or part.count("autograd.grad") == 1
        assert torch_defects(engine, part) == []


def test_filling_a_parameter_under_no_grad_cuts_nothing(engine: Engine) -> None:
    filled = "    with torch.no_grad():\n        x.mul_(1.0)\n    hidden = F.relu(x @ w1 + c1).data"
    wrong = PART.replace("    hidden = F.relu(x @ w1 + c1)", filled)
    (defect,) = torch_defects(engine, wrong)
    assert (defect.code, defect.source) == (
        "torch-graph-detached",
        "hidden = F.relu(x @ w1 + c1).data",
    )


@pytest.mark.parametrize("part", [PART, PART.replace(ASKED, BY_GRAD)], ids=["None", "autograd"])
@pytest.mark.parametrize("cut", [".detach()", ".data"])
def test_what_cuts_the_graph_is_named_with_its_line(engine: Engine, part: str, cut: str) -> None:
    wrong = part.replace("F.relu(x @ w1 + c1)", f"F.relu(x @ w1 + c1){cut}")
    (defect,) = torch_defects(engine, wrong)
    assert defect.code == "torch-graph-detached"
    assert defect.source is not None
    assert cut in defect.source
    assert defect.confidence is Confidence.LIKELY


def test_no_grad_cuts_it_too(engine: Engine) -> None:
    wrong = PART.replace("    hidden = F", "    with torch.no_grad():\n        hidden = F")
    (defect,) = torch_defects(engine, wrong)
    assert (defect.code, defect.source) == ("torch-graph-detached", "with torch.no_grad():")


@pytest.mark.parametrize("part", [PART, PART.replace(ASKED, BY_GRAD)], ids=["None", "autograd"])
def test_a_tensor_that_asks_for_no_gradient_is_no_leaf(engine: Engine, part: str) -> None:
    """The loss that is kept aside, detached, is not to blame."""
    wrong = part.replace("torch.tensor(X, requires_grad=True)", "torch.tensor(X)")
    assert [d.code for d in torch_defects(engine, wrong)] == ["torch-leaf-without-grad"]


def test_another_None_is_an_error_like_any_other(engine: Engine) -> None:
    wrong = PART.replace("    kept =", "    None.shape\n    kept =")
    assert [d.code for d in torch_defects(engine, wrong)] == ["runtime-error"]
