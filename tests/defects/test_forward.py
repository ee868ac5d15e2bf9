"""Wrong layers of the forward pass, and what the loss's own gradient then is."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.activations import ACTIVATIONS, NAIVE
from grader.defects.forward import CAPPED, CAPS, FORWARD
from tests.defects.planted_flow import right_flow

KINDS = {kind.code: kind for kind in FORWARD}


@pytest.mark.parametrize("fault", KINDS["bias-missing"].faults, ids=lambda f: f.step)
def test_a_bias_that_is_not_added_has_no_gradient(fault) -> None:
    flow = right_flow()
    [(bias, gain)] = fault.gains
    np.testing.assert_allclose(gain(flow) + flow[f"d{bias}"], 0.0, atol=1e-15)


def test_each_activation_stands_in_the_table_with_its_other_spellings() -> None:
    faults = KINDS["relu-replaced"].faults
    assert len(faults) == len(ACTIVATIONS) - len(CAPPED) + len(NAIVE)
    assert all(fault.slope is not None for fault in faults)


@pytest.mark.parametrize("fault", KINDS["relu-clipped"].faults, ids=lambda f: f.variant)
def test_a_relu_with_a_bound_is_flat_above_it(fault) -> None:
    flow = {**right_flow(), "Z1": np.array([[-1.0, 0.5, 100.0]])}
    H1 = fault.formula(flow)
    assert H1[0].tolist() == [0.0, 0.5, H1.max()]
    assert H1.max() in CAPS
    assert fault.slope(flow)[0].tolist() == [0.0, 1.0, 0.0]


def test_without_a_relu_the_slope_is_one() -> None:
    [fault] = KINDS["relu-missing"].faults
    assert fault.slope is not None
    assert np.all(fault.slope(right_flow()) == 1.0)
