"""Wrong softmaxes: over the batch, over everything, and twice."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.softmax import SOFTMAX
from grader.problem.network import Shows, softmax
from tests.defects.planted_flow import right_flow

FAULTS = {(k.code, f.variant): f for k in SOFTMAX for f in k.faults if f.step == "P"}


@pytest.mark.parametrize(
    ("variant", "axis"),
    [("normalised over the batch", 0), ("normalised over the whole array", None)],
)
def test_it_is_normalised_elsewhere(variant: str, axis: int | None) -> None:
    P = FAULTS["softmax-wrong-axis", variant].formula(right_flow())
    np.testing.assert_allclose(P.sum(axis=axis), 1.0)


def test_a_softmax_of_a_softmax_stays_near_the_mean() -> None:
    P = FAULTS["double-softmax", "softmax of softmax"].formula(right_flow())
    C = P.shape[1]
    assert P.max() <= np.e / (np.e + C - 1)


@pytest.mark.parametrize("code", ["softmax-no-max-shift", "softmax-global-max"])
def test_another_shift_shows_on_extremes_alone(code: str) -> None:
    [fault] = next(kind for kind in SOFTMAX if kind.code == code).faults
    flow = right_flow()
    assert fault.shows is Shows.EXTREMES
    moved = {**flow, "shift": np.asarray(fault.formula(flow))}
    np.testing.assert_allclose(softmax(moved), flow["P"])
