"""The derivative of a wrong loss agrees with what is known of it in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.table import FORWARD_ROWS, own_dZ2, with_own_log
from grader.problem import set_paper
from grader.problem.cases import perturbed
from grader.problem.network import Fault, forward, onehot, softmax

PAPER = set_paper(4)
CASE = PAPER.cases["primes"]
STEPS = ("shift", "P", "picked", "loss")
AMOUNT = 0.3


def loss_of(case, row: Fault) -> float:
    flow = forward(case, with_own_log((row,)))
    more = AMOUNT * row.direction(flow) if row.direction is not None else 0.0
    return float(np.sum(flow["loss"])) + float(more)


def usable(row: Fault) -> bool:
    """Rows of the loss that run on `primes`, other than guards too small to matter."""
    if row.step not in (*STEPS, "Z2") or row.code == "loss-log-epsilon":
        return False
    try:
        return bool(np.isfinite(loss_of(CASE, row))) and not row.gains
    except (ValueError, IndexError):
        return False


def rows() -> list[Fault]:
    return [row for row in FORWARD_ROWS if usable(row)]


def test_it_is_the_well_known_one_where_nothing_is_wrong() -> None:
    flow = forward(CASE, {})
    right = (flow["P"] - onehot(flow)) / len(CASE.y)
    np.testing.assert_allclose(own_dZ2(flow, ()), right, rtol=0, atol=1e-11)


def test_it_goes_through_both_softmaxes() -> None:
    double = next(r for r in FORWARD_ROWS if r.code == "double-softmax")
    flow = forward(CASE, with_own_log((double,)))
    inner, dP = softmax(flow), (flow["P"] - onehot(flow)) / len(CASE.y)
    known = inner * (dP - (dP * inner).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(own_dZ2(flow, (double,)), known, rtol=0, atol=1e-11)


@pytest.mark.parametrize("row", rows(), ids=lambda r: f"{r.step}-{r.variant}")
def test_it_predicts_central_differences_of_the_whole_loss(row: Fault) -> None:
    """Along a direction of b2, which reaches Z2 alone: h = 1e-5, so the error is near 1e-10."""
    flow = forward(CASE, with_own_log((row,)))
    direction, h = PAPER.directions["b2"], 1e-5
    sides = [loss_of(perturbed(CASE, "b2", direction, s * h), row) for s in (1, -1)]
    central = (sides[0] - sides[1]) / (2 * h)
    got = float((own_dZ2(flow, (row,), AMOUNT).sum(axis=0) * direction).sum())
    assert got == pytest.approx(central, rel=1e-6, abs=1e-8)
