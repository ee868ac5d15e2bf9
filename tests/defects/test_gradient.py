"""A constant factor is the same one at every step at which it may enter."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.gradient import GRADIENT
from grader.problem.network import RIGHT, Fault
from tests.defects.planted_flow import right_flow

SCALED = [f for kind in GRADIENT for f in kind.faults if f.scale is not None]


@pytest.mark.parametrize("fault", SCALED, ids=lambda f: f"{f.code}-{f.step}-{f.variant}")
def test_a_factor_multiplies_the_right_value(fault: Fault) -> None:
    flow = right_flow()
    assert fault.scale is not None
    wanted = fault.scale(flow) * RIGHT[fault.step](flow)
    np.testing.assert_allclose(fault.formula(flow), wanted, rtol=1e-12)


def test_a_factor_enters_in_dZ2_below_it_or_in_one_gradient() -> None:
    steps = {f.step for f in SCALED}
    assert steps == {"dZ2", "dH1", "dZ1", "W1", "b1", "W2", "b2", "X"}


def test_no_labels_leave_rows_that_sum_to_one_over_B() -> None:
    flow = right_flow()
    [fault] = next(kind for kind in GRADIENT if kind.code == "grad-onehot-missing").faults
    np.testing.assert_allclose(np.sum(fault.formula(flow), axis=1), 1 / len(flow["y"]))
