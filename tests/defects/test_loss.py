"""Wrong losses: shapes, factors, and what is picked by the labels."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.loss import GUARDS, LOSS, SHAPES
from grader.problem.network import RIGHT, Fault
from tests.defects.planted_flow import right_flow

SCALED = [f for kind in LOSS for f in kind.faults if f.scale is not None]


@pytest.mark.parametrize("fault", SCALED, ids=lambda f: f"{f.code}-{f.variant}")
def test_a_factor_of_the_loss_multiplies_the_right_one(fault: Fault) -> None:
    flow = right_flow()
    assert fault.scale is not None
    assert fault.formula(flow) == pytest.approx(float(fault.scale(flow) * RIGHT["loss"](flow)))


@pytest.mark.parametrize(("words", "formula"), SHAPES)
def test_what_is_no_scalar_has_a_shape(words: str, formula) -> None:
    assert np.shape(formula(right_flow())) != ()


def test_one_guard_of_each_kind_is_tried_beside_a_second_fault() -> None:
    guards = next(kind for kind in LOSS if kind.code == "loss-log-epsilon").faults
    assert sum(fault.pairs for fault in guards) == len(GUARDS) == 3
    assert all("1e-08" in fault.variant for fault in guards if fault.pairs)


def test_what_is_picked_in_a_wrong_way_tells_by_its_values() -> None:
    faults = next(kind for kind in LOSS if kind.code == "loss-wrong-gather").faults
    flow = right_flow()
    told = {f.variant: len(f.telling(flow, 0.0)) for f in faults if f.telling}
    assert told["class 0"] == told["p[:, y]"] == 5
    assert (told["the likeliest class"], told["every class"]) == (2, 0)
