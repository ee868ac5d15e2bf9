"""What the search writes for a style is a course's contract, and gives the same numbers as one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from grader.child import loading, standin
from grader.child.binding import Binding, bind
from grader.rubric import parse_contract
from tests.child.binding.loaded import answers, inputs

STYLES = sorted((Path(__file__).parent / "styles").glob("*.py"))
PATH = "answer.py"

COMPOSED = {"layer_functions", "layer_objects", "nnfs_layers", "own_softmax_object"}
"""Layers that no code of the answer's own puts together: no line could call them."""


@pytest.fixture
def finders() -> Iterator[None]:
    """The import system as it was, and torch's stand-ins for what is not installed."""
    before, modules = list(sys.meta_path), set(sys.modules)
    sys.meta_path.append(standin.StandInFinder(standin.Switch()))
    yield
    sys.meta_path[:] = before
    for name in set(sys.modules) - modules:
        if isinstance(sys.modules[name], standin.InertModule) or name == "answer":
            del sys.modules[name]


def loaded(data: bytes) -> ModuleType:
    return loading.load({PATH: data}, PATH)[0]


def pasted(binding: Binding, side: str, data: bytes) -> Binding | None:
    """The answer bound by the contract that its first binding shows; None where it shows none."""
    text = binding.contract_text(side)
    if not text:
        return None
    told = parse_contract(text.encode(), "shown.yaml").told()
    return bind(loaded(data), {PATH: data}, {}, json.loads(told))


def assert_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    assert set(one) == set(other)
    for name, value in one.items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(other[name]), err_msg=name)


@pytest.mark.usefixtures("finders")
@pytest.mark.parametrize("path", STYLES, ids=lambda p: p.stem)
def test_the_shown_contract_gives_the_same_numbers(path: Path) -> None:
    data = path.read_bytes()
    binding = bind(loaded(data), {PATH: data}, {})
    course = pasted(binding, "numpy", data)
    if path.stem in COMPOSED:
        assert course is None
        return
    assert course is not None
    assert course.part("numpy").sentence.startswith("as the course's contract has it: ")
    (loss, gradients), (own, found) = answers(binding, inputs()), answers(course, inputs())
    assert loss == own
    assert_same(gradients, found)


@pytest.mark.usefixtures("finders")
@pytest.mark.parametrize("path", STYLES, ids=lambda p: p.stem)
def test_the_shown_contract_of_the_pytorch_part_does_as_well(path: Path) -> None:
    data = path.read_bytes()
    binding = bind(loaded(data), {PATH: data}, {})
    course = pasted(binding, "torch", data)
    if course is None:
        assert binding.part("torch").adapter is None or binding.part("torch").sentence == ""
        return
    arguments = inputs().values()
    loss, gradients = binding.find("torch_forward_backward")(*arguments)
    own, found = course.find("torch_forward_backward")(*arguments)
    assert float(loss) == float(own)
    assert_same(gradients, found)


def test_names_that_the_submission_has_itself_are_not_taken_for_results() -> None:
    """`loss` is a function there: a variable of that name would hide it from the next call."""
    from tests.child.binding.loaded import binding_of

    text = (STYLES[0].parent / "params_dict_positional.py").read_text()
    text = text.partition("import torch")[0] + text.partition("as F")[2].partition("def torch")[0]
    binding = binding_of(text.replace("loss_fn", "loss"))
    contract = json.loads(binding.contract_text("numpy"))["contract"]["numpy"]
    assert contract["forward"] == ["loss_out = loss(params, X, y)"]
    assert contract["make"] == ["params = {'w1': W1, 'b1': b1, 'w2': W2, 'b2': b2}"]


def test_keys_that_no_line_can_name_are_read_all_the_same() -> None:
    """Such an adapter is executed, and no contract is shown of it."""
    from tests.child.binding.loaded import binding_of

    text = (STYLES[0].parent / "given_weights_class.py").read_text().partition("class Auto")[0]
    text = text.replace("import torch", "import enum\nK = enum.Enum('K', 'A B C D E')")
    named = zip("ABCDE", ("W1", "b1", "W2", "b2", "X"), strict=True)
    for key, tensor in named:
        text = text.replace(f'"grad_{tensor}":', f"K.{key}:")
    binding = binding_of(text)
    assert set(answers(binding, inputs())[1]) == {"W1", "b1", "W2", "b2", "X"}
    assert binding.contract_text("numpy") == ""


def test_weights_in_a_tuple_of_an_object_are_put_there() -> None:
    from tests.child.binding.loaded import binding_of

    text = (STYLES[0].parent / "given_weights_class.py").read_text().partition("class Auto")[0]
    text = text.replace("import torch", "").replace("self, W1, b1, W2, b2):", "self, d, h, c):")
    text = text.replace(
        "self.W1, self.b1, self.W2, self.b2 = W1, b1, W2, b2",
        "self.one = np.zeros((d, h)), np.zeros(h)\n"
        "        self.two = np.zeros((h, c)), np.zeros(c)",
    )
    for name, place in (("W1", "one[0]"), ("b1", "one[1]"), ("W2", "two[0]"), ("b2", "two[1]")):
        text = text.replace(f"self.{name}", f"self.{place}")
    binding = binding_of(text)
    contract = json.loads(binding.contract_text("numpy"))["contract"]["numpy"]
    assert contract["weights"]["b1"] == "net.one[1]"
    canonical = (STYLES[0].parent / "given_weights_class.py").read_text().partition("class Auto")[0]
    right = answers(binding_of(canonical.replace("import torch", "")), inputs())
    assert_same(answers(binding, inputs())[1], right[1])
