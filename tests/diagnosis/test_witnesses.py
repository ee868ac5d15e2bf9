"""The values that tell a fault's line."""

from __future__ import annotations

import numpy as np

from grader.defects.explanation import Culprit
from grader.defects.table import DZ1_ROWS, DZ2_ROWS, FORWARD_ROWS
from grader.diagnosis.passes import gradients_of
from grader.diagnosis.witnesses import scaled_loss, witnesses
from grader.problem import set_paper
from grader.problem.network import forward
from tests.diagnosis.planted import row

CASE = set_paper(4).cases["primes"]
REACHED = ("W1", "b1", "X")


def told(culprit: Culprit) -> list[list[np.ndarray]]:
    faults = {culprit.fault.step: culprit.fault}
    flow = forward(CASE, faults)
    backward = () if culprit.fault.step in flow else (culprit,)
    gradients = gradients_of(flow, backward, ())
    return [list(w.values) for w in witnesses(culprit, flow, gradients)]


def test_a_gradient_without_its_mask_is_dH1() -> None:
    flow = forward(CASE, {})
    gradients_of(flow, (), ())
    first = told(Culprit(row(DZ1_ROWS, "relu-mask-missing"), REACHED))[0]
    assert any(np.allclose(value, flow["dH1"]) for value in first)


def test_a_factor_is_told_by_its_own_value_alone() -> None:
    values = told(Culprit(row(DZ1_ROWS, "grad-double-batch-mean"), REACHED))
    assert [len(v) for v in values[:2]] == [1, 1]


def test_what_is_wrong_for_other_sizes_tells_nothing() -> None:
    culprit = Culprit(row(FORWARD_ROWS, "bias-wrong-axis", "where the sizes allow it"))
    assert told(culprit) == []
    assert witnesses(culprit, None, {}) == []


def test_a_factor_of_autograds_is_in_the_loss() -> None:
    flow = forward(CASE, {})
    [witness] = scaled_loss(Culprit(row(DZ2_ROWS, "grad-sign")), flow)
    np.testing.assert_allclose(witness.values[0], -flow["loss"])
