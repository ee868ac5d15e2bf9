"""Gradients are read off a step only where the step is exactly lr times the gradient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.child.binding.loaded import answers, binding_of, inputs

TEXT = (Path(__file__).parent / "styles" / "updating_class.py").read_text()
TUPLE = (Path(__file__).parent / "styles" / "train_step.py").read_text()


def exact() -> dict[str, np.ndarray]:
    """The gradients of the style that returns them, by the same formulas."""
    given = inputs()
    text = (Path(__file__).parent / "styles" / "tuple_everything.py").read_text()
    text = text.partition("class Net")[0].replace("import torch", "# import torch")
    return answers(binding_of(text), given)[1]


@pytest.mark.parametrize(
    "text", [TEXT, TUPLE, TUPLE.replace("W1 = W1 -", "W1 -=").replace("b1 = b1 -", "b1 -=")]
)
def test_a_plain_step_gives_the_gradient_to_rounding(text: str) -> None:
    given = inputs()
    before = {n: a.copy() for n, a in given.items()}
    _, gradients = answers(binding_of(text), given)
    for name in ("W1", "b1", "W2", "b2"):
        np.testing.assert_allclose(gradients[name], exact()[name], rtol=1e-12, atol=1e-15)
        np.testing.assert_array_equal(given[name], before[name])


def test_weight_decay_that_does_not_scale_with_the_rate_is_no_step() -> None:
    text = TEXT.replace("self.weights[0] -=", "self.weights[0] *= 0.9\n        self.weights[0] -=")
    _, gradients = answers(binding_of(text), inputs())
    assert "W1" not in gradients
    assert "W2" in gradients


def test_a_signed_step_is_no_gradient() -> None:
    text = TUPLE.replace("learning_rate * X.T @ dZ1", "learning_rate**2 * np.sign(X.T @ dZ1)")
    _, gradients = answers(binding_of(text), inputs())
    assert "W1" not in gradients


def test_a_second_backward_begins_anew() -> None:
    binding = binding_of(TEXT)
    _, cache = binding.find("forward")(*inputs().values())
    first, again = (binding.find("backward")(cache) for _ in range(2))
    np.testing.assert_array_equal(first["W1"], again["W1"])
