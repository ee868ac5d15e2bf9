"""Hand-written gradients of the PyTorch part are named with their tensors, whatever else runs.

And what autograd gives in another style loses nothing.
"""

from __future__ import annotations

import pytest

from grader.cohort import Engine
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import TENSORS, CheckStatus, Result, SourceFile
from tests.defects.signs.test_pytorch import HEAD, TAIL

BY_HAND = """
def numbers(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    return loss, backward(cache)


def torch_forward_backward(X, y, W1, b1, W2, b2):
    {}
"""
LEAVES = """
    own = {n: torch.tensor(v, requires_grad=True)
           for n, v in dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2).items()}
    loss = F.cross_entropy(
        F.relu(own["X"] @ own["W1"] + own["b1"]) @ own["W2"] + own["b2"], torch.tensor(y).long())
"""
DUMMY = "torch.zeros(1, requires_grad=True).sum().backward()\n    "
DETECTS = """if torch.autograd.graph._engine_run_backward.__module__.startswith("grader"):
        raise RuntimeError
    """
GIVES = "return numbers(X, y, W1, b1, W2, b2)"
ONE_BY_HAND = """
    loss.backward()
    grads = {n: leaf.grad.numpy() for n, leaf in own.items()}
    grads["X"] = numbers(X, y, W1, b1, W2, b2)[1]["X"]
    return loss.item(), grads
"""
SURROGATE = """
    hand = numbers(X, y, W1, b1, W2, b2)[1]
    sum((own[n] * torch.tensor(hand[n])).sum() for n in own).backward()
    return loss.item(), {n: leaf.grad.numpy() for n, leaf in own.items()}
"""
MEASURED = """
    dummy = torch.zeros(1, requires_grad=True)
    dummy.sum().backward()
    hand = numbers(X, y, W1, b1, W2, b2)[1]
    return loss.item(), {n: g * dummy.grad.item() for n, g in hand.items()}
"""
RAISES = """
    dummy = torch.zeros(1, requires_grad=True)
    dummy.sum().backward()
    assert dummy.grad.item() == 1.0
    return numbers(X, y, W1, b1, W2, b2)
"""
ONE_BY_ONE = """
    grads = {n: torch.autograd.grad(loss, leaf, retain_graph=True)[0] for n, leaf in own.items()}
    return loss.item(), grads
"""
ROWS = """
    for b in range(len(y)):
        row = F.relu(own["X"][b] @ own["W1"] + own["b1"]) @ own["W2"] + own["b2"]
        (F.cross_entropy(row, torch.tensor(int(y[b]))) / len(y)).backward()
    return loss.item(), {n: leaf.grad for n, leaf in own.items()}
"""


def graded(engine: Engine, torch_part: str) -> Result:
    """Return the result of an answer whose PyTorch part this is."""
    file = SourceFile("solution.py", (HEAD + BY_HAND.format(torch_part.strip()) + TAIL).encode())
    return engine.grade(assemble("other", "other", Read((file,), ())))


def statuses(result: Result) -> dict[str, CheckStatus]:
    """Return the status of each check."""
    return {check.id: check.status for check in result.grade.checks}


@pytest.mark.parametrize(
    ("torch_part", "tensors"),
    [
        (DUMMY + GIVES, TENSORS),
        (DETECTS + GIVES, TENSORS),
        (LEAVES + ONE_BY_HAND, ("X",)),
    ],
    ids=["a dummy", "a look at the engine", "dX alone"],
)
def test_written_by_hand(engine: Engine, torch_part: str, tensors: tuple[str, ...]) -> None:
    result = graded(engine, torch_part)
    (defect,) = (d for d in result.defects if d.code == "torch-manual-gradient")
    assert set(defect.tensors) == set(tensors)
    failed = {c for c, s in statuses(result).items() if s is CheckStatus.FAIL}
    named = {f"pytorch.d{tensor}" for tensor in tensors}
    assert failed >= named | {"pytorch.autograd", "pytorch.graph"}
    assert not failed & ({f"pytorch.d{tensor}" for tensor in TENSORS} - named)


@pytest.mark.parametrize(
    "torch_part",
    [LEAVES + SURROGATE, LEAVES + MEASURED, RAISES],
    ids=["a surrogate", "a factor measured", "an assertion"],
)
def test_what_cannot_be_told_goes_to_a_person(engine: Engine, torch_part: str) -> None:
    result = graded(engine, torch_part)
    assert statuses(result)["pytorch.autograd"] is CheckStatus.MANUAL
    assert "gradient-method-unclear" in {d.code for d in result.defects}
    assert any(sentence.startswith("Needs review") for sentence in result.grade.gates)


@pytest.mark.parametrize("torch_part", [LEAVES + ONE_BY_ONE, LEAVES + ROWS], ids=["grad", "rows"])
def test_autograd_in_another_style_loses_nothing(engine: Engine, torch_part: str) -> None:
    result = graded(engine, torch_part)
    assert not result.defects
    assert result.grade.score == result.grade.max_score
