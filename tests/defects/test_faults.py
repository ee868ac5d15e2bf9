"""The builders of wrong formulas."""

from __future__ import annotations

import numpy as np

from grader.defects.faults import constant_for_B, in_place_of_P, jacobian, of_label, scaled
from grader.problem.network import RIGHT, batch
from tests.defects.planted_flow import right_flow


def test_a_constant_of_one_over_B_is_right() -> None:
    flow = right_flow()
    fault = constant_for_B("dZ2")
    assert fault.constant
    assert fault.direction is not None
    np.testing.assert_allclose(fault.direction(flow) / batch(flow), RIGHT["dZ2"](flow))


def test_P_in_its_own_place_is_right() -> None:
    flow = right_flow()
    np.testing.assert_allclose(in_place_of_P(lambda f: f["P"])(flow), flow["dZ2"])


def test_the_jacobian_of_a_softmax_takes_a_constant_to_nothing() -> None:
    P = right_flow()["P"]
    np.testing.assert_allclose(jacobian(np.ones_like(P), P), 0.0, atol=1e-16)


def test_a_factor_has_a_row_for_each_step_of_the_backward_pass() -> None:
    steps = [fault.step for fault in scaled("twice", lambda f: 2.0)]
    assert steps == ["dZ2", "dH1", "dZ1", "W2", "b2", "W1", "b1", "X"]


def test_the_entry_of_the_label_is_picked() -> None:
    flow = right_flow()
    picked = of_label(lambda f: np.log(f["P"]))(flow)
    np.testing.assert_allclose(picked, flow["picked"])
