"""One tensor at a time: what cases can prove, and the amount of a family."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.table import DZ2_ROWS, LEAF_ROWS
from grader.diagnosis.leaves import along, can_tell, projected
from tests.defects.planted_flow import right_flow
from tests.diagnosis.planted import row


def test_a_constant_for_B_shows_where_B_varies() -> None:
    constant = row(DZ2_ROWS, "hard-coded-size")
    assert not can_tell(constant, ("primes",))
    assert can_tell(constant, ("primes", "more_rows"))
    assert can_tell(row(DZ2_ROWS, "grad-sign"), ("primes",))


def test_the_amount_of_a_family_is_found_by_projection() -> None:
    decay, flow = row(LEAF_ROWS["W2"], "grad-extra-term"), right_flow()
    observed = along(decay, 0.25)(flow)
    assert decay.direction is not None
    found = projected(observed, decay.formula(flow), decay.direction(flow))
    assert found == pytest.approx(0.25)


def test_shapes_that_differ_have_no_amount() -> None:
    assert np.isnan(projected(np.ones(2), np.ones(3), np.ones(3)))
    assert np.isnan(projected(np.ones(3), np.ones(3), np.zeros(3)))
