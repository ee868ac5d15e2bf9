"""The table as a whole: which codes it knows, and how two rows of one step go together."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.table import (
    DH1_ROWS,
    DZ1_ROWS,
    DZ2_ROWS,
    FORWARD_ROWS,
    LEAF_ROWS,
    P_ROWS,
    UNSTABLE_P,
    with_own_log,
)
from grader.problem import set_paper
from grader.problem.network import FORWARD_STEPS, LEAVES, forward, resumed

CASE = set_paper(4).cases["primes"]
EVERY = (
    *FORWARD_ROWS,
    *P_ROWS,
    *UNSTABLE_P,
    *DZ2_ROWS,
    *DH1_ROWS,
    *DZ1_ROWS,
    *(row for rows in LEAF_ROWS.values() for row in rows),
)

SHOWN = [
    "hard-coded-size",
    "bias-missing",
    "bias-wrong-axis",
    "relu-missing",
    "relu-replaced",
    "relu-clipped",
    "softmax-no-max-shift",
    "softmax-global-max",
    "softmax-wrong-axis",
    "softmax-wrong-broadcast",
    "double-softmax",
    "relu-on-logits",
    "loss-log-underflow",
    "loss-log-epsilon",
    "loss-sum-not-mean",
    "loss-mean-over-elements",
    "loss-wrong-gather",
    "loss-sign",
    "loss-log-base",
    "loss-not-scalar",
    "loss-extra-term",
    "loss-unexplained",
    "grad-missing-batch-mean",
    "grad-double-batch-mean",
    "grad-mean-over-classes",
    "grad-sign",
    "grad-onehot-missing",
    "grad-softmax-derivative",
    "grad-from-logits",
    "relu-mask-missing",
    "relu-mask-from-gradient",
    "relu-mask-inverted",
    "relu-mask-is-activation",
    "dw2-from-preactivation",
    "grad-transposed",
    "bias-grad-not-summed",
    "bias-grad-mean",
    "bias-grad-wrong-axis",
    "bias-grad-over-everything",
    "bias-grad-keepdims",
    "grad-extra-term",
    "weights-updated-early",
    "grad-inconsistent-with-loss",
]
"""Defects whose numbers are those of one wrong formula."""


@pytest.mark.parametrize("code", SHOWN)
def test_a_code_that_shows_in_numbers_has_a_row(code: str) -> None:
    assert any(row.code == code for row in EVERY)


def test_no_row_has_a_code_that_is_not_listed() -> None:
    assert {row.code for row in EVERY} == set(SHOWN)


def test_steps_are_steps() -> None:
    backward = {"P_used", "dZ2", "dH1", "dZ1", *LEAVES}
    assert {row.step for row in FORWARD_ROWS} == set(FORWARD_STEPS)
    assert {row.step for row in EVERY} == {*FORWARD_STEPS, *backward}


def test_a_factor_multiplies_another_fault_of_the_loss() -> None:
    sign = next(r for r in FORWARD_ROWS if r.code == "loss-sign")
    crossed = next(r for r in FORWARD_ROWS if r.code == "loss-wrong-gather" and r.step == "loss")
    alone = forward(CASE, with_own_log((crossed,)))["loss"]
    for order in ((sign, crossed), (crossed, sign)):
        assert forward(CASE, with_own_log(order))["loss"] == pytest.approx(-alone)


def test_the_log_of_a_wrong_P_is_its_own() -> None:
    columns = [r for r in FORWARD_ROWS if r.step == "P" and r.code == "softmax-wrong-axis"]
    losses = [forward(CASE, with_own_log((r,)))["loss"] for r in columns[:2]]
    assert [r.logs is None for r in columns[:2]] == [True, False]
    assert losses[0] == pytest.approx(float(losses[1]), rel=1e-12)
    assert losses[0] != pytest.approx(float(forward(CASE, {})["loss"]), rel=1e-3)


def test_a_flow_is_resumed_without_a_change_to_what_came_before() -> None:
    row = next(r for r in FORWARD_ROWS if r.code == "relu-on-logits")
    right = forward(CASE, {})
    wrong = resumed(right, {"Z2": row}, "Z2")
    np.testing.assert_array_equal(wrong["loss"], forward(CASE, {"Z2": row})["loss"])
    np.testing.assert_array_equal(right["loss"], forward(CASE, {})["loss"])
    assert wrong["loss"] != right["loss"]
