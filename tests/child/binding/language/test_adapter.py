"""A course's own skeleton is called as its contract says, line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.child import loading
from grader.child.binding import Binding, bind
from grader.rubric import parse_contract
from tests.child.binding.loaded import PATH, answers, binding_of, inputs

STYLES = Path(__file__).parents[1] / "styles"
KEYS = ("W1", "b1", "W2", "b2")


def contract(text: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(parse_contract(text.encode(), "c.yaml").told())
    return told


def bound(text: str, course: str) -> Binding:
    from types import ModuleType

    module = ModuleType(PATH.removesuffix(".py"))
    exec(loading.compile_source(text.encode(), PATH), module.__dict__)
    return bind(module, {PATH: text.encode()}, {}, contract(course))


def style(name: str) -> str:
    return (STYLES / f"{name}.py").read_text()


def places(pattern: str) -> str:
    return "\n".join(f"      {key}: {pattern.format(key)}" for key in KEYS)


CLASS = f"""
contract:
  title: CS231n
  numpy:
    make: ["net = TwoLayerNet(D, H, C)"]
    weights:
{places('net.params["{}"]')}
    forward: ["loss, grads = net.loss(X, y, reg=0.0)"]
    loss: loss
    gradients:
{places('grads["{}"]')}
"""
COLUMNS = f"""
contract:
  title: Columns
  numpy:
    arrays: {{X: [D, B], W1: [H, D], b1: [H, 1], y: [C, B]}}
    make:
      - parameters = initialize_parameters(D, H, C)
    weights:
{places('parameters["{}"]')}
    forward:
      - A2, cache = forward_propagation(X, parameters)
      - cost = compute_cost(A2, y)
    backward:
      - grads = backward_propagation(parameters, cache, X, y)
    loss: cost
    gradients:
{places('grads["d{}"]')}
"""
MODULE = """
contract:
  title: A module
  torch:
    tensors: true
    make:
      - model = TorchNet(D, H, C)
    weights:
      W1: model.fc1.weight
      b1: model.fc1.bias
      W2: model.fc2.weight
      b2: model.fc2.bias
    arrays: {W1: [H, D]}
    calls:
      - loss = F.cross_entropy(model(X), y)
      - loss.backward()
    loss: loss
    gradients:
      W1: model.fc1.weight.grad
      b1: model.fc1.bias.grad
      W2: model.fc2.weight.grad
      b2: model.fc2.bias.grad
"""
NET = """
import torch.nn as nn, torch.nn.functional as F
class TorchNet(nn.Module):
    def __init__(self, d, h, c):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d, h), nn.Linear(h, c)
    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))
"""
VARIABLES = f"""
contract:
  title: Variables of the notebook
  numpy:
    weights:
{places("w_{}")}
    forward: ["loss = run(X, y)"]
    backward: ["grads = derive()"]
    loss: loss
    gradients:
{places("grads.{}")}
"""


def right() -> tuple[Any, dict[str, np.ndarray]]:
    return answers(binding_of(style("almost_the_contract")), inputs())


def test_a_class_that_keeps_its_weights_and_gives_all_in_one_call() -> None:
    loss, gradients = answers(bound(style("cs231n_class"), CLASS), inputs())
    assert loss == pytest.approx(right()[0])
    for key in KEYS:
        np.testing.assert_allclose(gradients[key], right()[1][key], atol=1e-14)


def test_functions_on_columns_with_a_dictionary() -> None:
    binding = bound(style("coursera_columns"), COLUMNS)
    loss, gradients = answers(binding, inputs())
    assert loss == pytest.approx(right()[0])
    for key in KEYS:
        np.testing.assert_allclose(gradients[key], right()[1][key], atol=1e-14)
    assert binding.part("numpy").sentence.startswith("as the course's contract has it: param")
    assert binding.part("numpy").deviations == ()
    assert not binding.at_once


def test_what_the_lines_keep_for_backward_is_its_cache() -> None:
    binding = bound(style("coursera_columns"), COLUMNS)
    given = inputs()
    _, cache = binding.find("forward")(*given.values())
    shown = binding.shown(cache)
    assert "A1" in shown["cache"]
    assert not any(name.startswith("parameters") for name in shown)


def test_a_backward_may_be_called_again_and_later() -> None:
    binding = bound(style("coursera_columns"), COLUMNS)
    _, first = binding.find("forward")(*inputs().values())
    _, second = binding.find("forward")(*inputs(B=3, C=2).values())
    once, other, again = map(binding.find("backward"), (first, second, first))
    assert other["W2"].shape == (11, 2)
    for key in KEYS:
        np.testing.assert_array_equal(once[key], again[key])


def test_a_module_of_torchs_gets_the_weights_and_gives_what_autograd_left() -> None:
    binding = bound(NET, MODULE)
    loss, gradients = binding.find("torch_forward_backward")(*inputs().values())
    assert float(loss.detach()) == pytest.approx(right()[0])
    for key in KEYS:
        np.testing.assert_allclose(gradients[key], right()[1][key], atol=1e-14)
    assert gradients["X"].shape == inputs()["X"].shape


def test_variables_of_the_module_hold_the_weights_of_their_own_forward() -> None:
    text = """
import numpy as np
from types import SimpleNamespace
w_W1 = w_b1 = w_W2 = w_b2 = None
kept = []
def run(X, y):
    kept.append(X)
    return float(w_W1.sum())
def derive():
    return SimpleNamespace(W1=2 * w_W1, b1=w_b1, W2=w_W2, b2=w_b2)
"""
    binding = bound(text, VARIABLES)
    first, second = inputs(), inputs(H=4)
    loss, cache = binding.find("forward")(*first.values())
    binding.find("forward")(*second.values())
    assert loss == pytest.approx(first["W1"].sum())
    np.testing.assert_array_equal(binding.find("backward")(cache)["W1"], 2 * first["W1"])


# ── answers that are written otherwise ───────────────────────────────────────


def test_another_style_is_found_all_the_same_and_the_difference_is_said() -> None:
    binding = bound(style("coursera_columns"), CLASS)
    loss, _ = answers(binding, inputs())
    assert loss == pytest.approx(right()[0])
    assert binding.part("numpy").deviations[0] == (
        "not as the course's contract has it: there is no `TwoLayerNet`"
    )


def test_a_skeleton_that_was_changed_is_found_as_well() -> None:
    text = style("cs231n_class").replace("def loss(", "def loss_and_gradients(")
    binding = bound(text, CLASS)
    assert answers(binding, inputs())[0] == pytest.approx(right()[0])
    assert "has no attribute 'loss'" in "\n".join(binding.part("numpy").deviations)


def test_labels_in_another_form_are_noticed() -> None:
    text = style("coursera_columns")
    course = COLUMNS.replace("y: [C, B]", "y: [1, B]")
    binding = bound(text, course)
    assert answers(binding, inputs())[0] == pytest.approx(right()[0])


def test_what_fails_as_described_and_fits_nothing_else_fails_as_itself() -> None:
    text = style("cs231n_class").replace("grads = {}", "grads = {}; self.broken.x")
    binding = bound(text, CLASS)
    with pytest.raises(AttributeError, match="broken"):
        binding.find("forward")(*inputs().values())


def test_nothing_of_the_kind_says_what_the_contract_asks_for() -> None:
    text = "import numpy as np\ndef forward(X, strange): return X\n"
    assert bound(text, CLASS).absence("forward").startswith("there is no `TwoLayerNet`; found ")
