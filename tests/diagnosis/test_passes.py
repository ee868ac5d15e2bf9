"""The backward pass under faults, and what comes free with a wrong loss."""

from __future__ import annotations

import numpy as np

from grader.defects.explanation import Culprit
from grader.defects.table import DH1_ROWS, DZ2_ROWS, FORWARD_ROWS, LEAF_ROWS
from grader.diagnosis.passes import free_gates, free_leaves, free_tops, gradients_of
from grader.problem import set_paper
from grader.problem.network import LEAVES, forward
from tests.diagnosis.planted import row

CASE = set_paper(4).cases["primes"]
REACHED = ("W1", "b1", "W2", "b2", "X")


def gradients(*culprits: Culprit) -> dict[str, np.ndarray]:
    return dict(gradients_of(forward(CASE, {}), culprits, ()))


def test_a_factor_in_dZ2_reaches_all_five_and_one_in_dH1_three() -> None:
    right = gradients()
    sign = gradients(Culprit(row(DZ2_ROWS, "grad-sign"), REACHED))
    below = gradients(Culprit(row(DH1_ROWS, "grad-sign"), REACHED))
    for leaf in LEAVES:
        np.testing.assert_allclose(sign[leaf], -right[leaf])
        factor = 1.0 if leaf in ("W2", "b2") else -1.0
        np.testing.assert_allclose(below[leaf], factor * right[leaf])


def test_two_faults_of_one_step_multiply() -> None:
    sign, missing = row(DZ2_ROWS, "grad-sign"), row(DZ2_ROWS, "grad-missing-batch-mean")
    both = gradients(Culprit(sign, REACHED), Culprit(missing, REACHED))
    np.testing.assert_allclose(both["W2"], -len(CASE.y) * gradients()["W2"])


def test_a_family_takes_its_amount() -> None:
    decay = Culprit(row(LEAF_ROWS["W2"], "grad-extra-term"), ("W2",), 0.5)
    np.testing.assert_allclose(gradients(decay)["W2"], gradients()["W2"] + 0.5 * CASE.W2)


def test_a_wrong_loss_brings_its_own_factor_and_another_activation_its_own_gate() -> None:
    total = row(FORWARD_ROWS, "loss-sum-not-mean")
    assert [[f.step for f in way] for way in free_tops((total,))] == [["dZ2"]]
    tanh = row(FORWARD_ROWS, "relu-replaced", "tanh")
    assert [f.step for f in free_gates((tanh,))] == ["dZ1", "dZ1"]
    penalty = row(FORWARD_ROWS, "loss-extra-term", "the squares of W1")
    assert free_leaves((penalty,), 0.1).keys() >= {"W1"}
    assert all(f.code == total.code for way in free_tops((total,)) for f in way)
