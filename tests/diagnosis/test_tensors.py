"""The network's tensors stand after those that they are computed from."""

from __future__ import annotations

import pytest

from grader.checks.tensors import COMPARED
from grader.diagnosis.tensors import NUMPY, SHAPES, STEPS, TORCH


@pytest.mark.parametrize("parents", [NUMPY, TORCH])
def test_each_tensor_stands_after_its_parents(parents) -> None:
    order = list(parents)
    for name, above in parents.items():
        assert all(order.index(other) < order.index(name) for other in above)
        assert name in SHAPES


def test_the_steps_of_the_fault_table_show_at_tensors() -> None:
    assert set(STEPS.values()) <= set(NUMPY)


def test_the_loss_and_the_five_gradients_are_compared() -> None:
    assert COMPARED["numpy"].keys() == COMPARED["torch"].keys()
    assert COMPARED["numpy"].keys() <= set(NUMPY)
