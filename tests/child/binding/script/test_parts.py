"""Which statements are an answer; and that what is none is not taken for one."""

from __future__ import annotations

import ast

import pytest

from grader.child.binding.script.flow import blocks
from grader.child.binding.script.parts import Parts, by_autograd, by_hand
from grader.child.binding.script.reader import LOSS, Reader
from tests.child.binding.script.test_against_functions import (
    BACKWARD,
    FORWARD,
    MADE,
    as_script,
)

TORCH = """\
import torch
leaves = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
tX, tW1, tb1, tW2, tb2 = leaves
Z = torch.relu(tX @ tW1 + tb1) @ tW2 + tb2
torch.nn.functional.cross_entropy(Z, torch.tensor(y)).backward()
dW1, db1, dW2, db2, dX = [t.grad.numpy() for t in (tW1, tb1, tW2, tb2, tX)]
"""


def read(text: str) -> tuple[Parts | None, Parts | None]:
    """Return both parts of module level."""
    reader = Reader(next(blocks(ast.parse(text))), frozenset({"torch"}))
    return by_hand(reader), by_autograd(reader)


def test_the_parts_of_a_script() -> None:
    hand, auto = read(as_script(FORWARD, BACKWARD) + TORCH)
    assert hand is not None and auto is not None
    assert hand.inputs == auto.inputs == ("X", "y", "W1", "b1", "W2", "b2")
    assert (hand.loss, auto.loss) == ("loss", LOSS)
    assert set(hand.gradients) == {"dW1", "db1", "dW2", "db2", "dX"}
    first = len(MADE.splitlines()) + 1
    spoken = [hand.block.statements[i].lineno for i in hand.forward]
    assert spoken == list(range(first, first + len(FORWARD.splitlines())))


def test_gradients_of_autograd_are_none_by_hand() -> None:
    hand, _ = read(MADE + FORWARD + TORCH)
    assert hand is not None
    assert (hand.backward, hand.gradients) == ((), {})


def test_what_is_built_on_tensors_is_none_by_hand() -> None:
    text = MADE + "import torch\n" + FORWARD.replace("np.maximum(Z1, 0)", "torch.relu(Z1).numpy()")
    assert read(text + BACKWARD) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "loss = 3\n",
        MADE,
        MADE + "loss = (X @ W1).mean()\ndW1 = X.T @ X\n",
        MADE + "P = X @ W1 @ W2\naccuracy = (P.argmax(1) == y).mean()\n",
        MADE + FORWARD.replace("H1 @ W2 + b2", "H1").replace("loss", "value"),
    ],
)
def test_what_is_no_answer(text: str) -> None:
    assert read(text) == (None, None)


def test_a_name_that_is_computed_from_weights_is_no_input() -> None:
    text = MADE + FORWARD.replace("S = Z2 -", "t = Z2\nS = t -") + BACKWARD
    hand, _ = read(text)
    assert hand is not None and hand.inputs == ("X", "y", "W1", "b1", "W2", "b2")


def test_a_mean_follows_its_sum() -> None:
    text = FORWARD.replace("loss =", "total_loss =").replace(".mean()", ".sum()")
    hand, _ = read(MADE + text + "loss = total_loss / N\n" + BACKWARD)
    assert hand is not None and hand.loss == "loss"


def test_of_labels_and_one_hot_labels_the_first_are_the_input() -> None:
    text = FORWARD.replace("P[np.arange(len(y)), y]", "(P * Y).sum(1)")
    hand, _ = read(MADE + "Y = np.eye(C)[y]\n" + text + BACKWARD)
    assert hand is not None and hand.inputs[1] == "y"
