"""Wrong layers of the forward pass, and what the loss's own gradient then is."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.activations import ACTIVATIONS, NAIVE
from grader.defects.forward import FORWARD
from tests.defects.planted_flow import right_flow

KINDS = {kind.code: kind for kind in FORWARD}


@pytest.mark.parametrize("fault", KINDS["bias-missing"].faults, ids=lambda f: f.step)
def test_a_bias_that_is_not_added_has_no_gradient(fault) -> None:
    flow = right_flow()
    [(bias, gain)] = fault.gains
    np.testing.assert_allclose(gain(flow) + flow[f"d{bias}"], 0.0, atol=1e-15)


def test_each_activation_stands_in_the_table_with_its_other_spellings() -> None:
    faults = KINDS["relu-replaced"].faults
    assert len(faults) == len(ACTIVATIONS) + len(NAIVE)
    assert all(fault.slope is not None for fault in faults)


def test_without_a_relu_the_slope_is_one() -> None:
    [fault] = KINDS["relu-missing"].faults
    assert fault.slope is not None
    assert np.all(fault.slope(right_flow()) == 1.0)
