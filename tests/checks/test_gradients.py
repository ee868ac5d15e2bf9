"""The checks of each gradient, each on a right answer and on a spoiled one."""

from __future__ import annotations

import numpy as np
import pytest

from grader.checks.check import Check
from grader.checks.gradients import SHAPE_CHECKS, VALUE_CHECKS, batch_mean, duplicate, runs
from grader.records import TENSORS, Ended, Mismatch
from tests.checks.simulation import by_batch, ends, fails, passes, put, waits


def test_runs() -> None:
    fails(runs, ends("backward/", Ended.TIMEOUT), says="no answer before the time was up")


@pytest.mark.parametrize(("check", "tensor"), [*zip(SHAPE_CHECKS, TENSORS, strict=True)])
def test_shape(check: Check, tensor: str) -> None:
    made = fails(check, put("backward/", tensor, lambda gradient: gradient[None]))
    assert {(e.tensor, e.mismatch) for e in made.bad} == {(tensor, Mismatch.SHAPE)}
    fails(check, put("backward/", tensor, lambda gradient: None), says="not returned")


@pytest.mark.parametrize(("check", "tensor"), [*zip(VALUE_CHECKS, TENSORS, strict=True)])
def test_value(check: Check, tensor: str) -> None:
    fails(
        check,
        put("backward/square", tensor, lambda gradient: gradient + 1e-6),
        says="see the other cases",
    )
    made = fails(check, put("backward/", tensor, lambda gradient: gradient * np.nan))
    assert {e.mismatch for e in made.bad} == {Mismatch.NOT_FINITE}
    passes(check, put("backward/", tensor, lambda gradient: gradient[None]))  # the shape's own


@pytest.mark.parametrize(("check", "tensor"), [*zip(VALUE_CHECKS, TENSORS, strict=True)])
def test_value_has_to_be_right_at_the_size_of_real_work(check: Check, tensor: str) -> None:
    zeros = put("backward/realistic/", tensor, lambda gradient: 0 * gradient)
    assert {e.case for e in fails(check, zeros).bad} == {"realistic"}
    passes(check, ends("backward/realistic/", Ended.TIMEOUT))  # slowness has its own check


def test_value_says_which_factor_is_missing() -> None:
    lacking = by_batch("backward/", "W1", lambda dW1, B: dW1 * B)
    fails(VALUE_CHECKS[0], lacking, says="1/B is missing; divide by the batch size once")


def test_batch_mean() -> None:
    fails(batch_mean, by_batch("backward/", "b2", lambda db2, B: db2 / B), says="db2")
    passes(batch_mean, put("backward/", "b2", lambda db2: -db2))
    fails(batch_mean, by_batch("backward/", "X", lambda dX, B: dX * dX))


def test_duplicate() -> None:
    fails(duplicate, put("backward/duplicated", "X", lambda dX: 2 * dX), says="expected 0.5")
    fails(duplicate, put("backward/duplicated", "W2", lambda dW2: 2 * dW2), says="expected 1")
    nothing = [put("backward/", t, lambda gradient: None) for t in TENSORS]
    waits(duplicate, *nothing)


def test_one_layer_alone_does_not_show_where_the_batch_is_divided_by() -> None:
    """It takes a gradient of either layer: who returns db2 alone has not shown the rest."""
    gone = [put("backward/", t, lambda gradient: None) for t in ("W1", "b1", "W2", "X")]
    waits(batch_mean, *gone)
    waits(duplicate, *gone)
    passes(batch_mean, gone[-1])
