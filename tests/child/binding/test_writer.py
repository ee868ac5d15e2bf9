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
    text = binding.texts(side).get("contract", "")
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
    assert course.texts("numpy")["binding"].startswith("as the course's contract has it: ")
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
    contract = json.loads(binding.texts("numpy")["contract"])["contract"]["numpy"]
    assert contract["forward"] == ["loss_out = loss(params, X, y)"]
    assert contract["make"] == ["params = {'w1': W1, 'b1': b1, 'w2': W2, 'b2': b2}"]
