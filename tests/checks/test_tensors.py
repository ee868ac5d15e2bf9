"""What is derived from the declarations: which checks compare which tensor."""

from __future__ import annotations

from grader.checks.tensors import BEYOND_NUMBERS, COMPARED, SPECIAL
from grader.records import TENSORS


def test_each_output_is_compared_by_the_checks_of_its_part() -> None:
    outputs = {"loss", *(f"d{t}" for t in TENSORS)}
    assert COMPARED["numpy"].keys() == COMPARED["torch"].keys() == outputs
    assert COMPARED["numpy"]["loss"] == ("forward.loss", "forward.scalar")
    assert COMPARED["numpy"]["dX"] == ("backward.dX", "backward.dX_shape")
    assert COMPARED["torch"]["db1"] == ("pytorch.db1",)


def test_special_inputs_have_their_tensor_and_condition() -> None:
    assert ("forward.overflow", "P", "on huge logits") in SPECIAL
    assert len(SPECIAL) == 7
    assert {tensor for _, tensor, _ in SPECIAL} == {"P", "loss", "dZ2", "dZ1"}


def test_few_checks_look_beyond_numbers() -> None:
    assert "forward.cache" in BEYOND_NUMBERS and "forward.loss" not in BEYOND_NUMBERS
