"""What proves a fault, and which constants are another mistake."""

from __future__ import annotations

from grader.defects.explanation import Account, Culprit, Explanation, is_plain
from grader.defects.table import DZ1_ROWS, DZ2_ROWS, FORWARD_ROWS


def test_a_fault_is_proven_by_a_tensor_that_it_predicts() -> None:
    gate = Culprit(DZ1_ROWS[0], ("W1", "b1"))
    assert Explanation((), (gate,), ("W1",)).proves(gate)
    assert not Explanation((), (gate,), ("W1", "b1")).proves(gate)


def test_a_fault_of_the_forward_is_proven_by_the_loss() -> None:
    forward = Culprit(FORWARD_ROWS[0])
    assert Explanation((forward,)).proves(forward)
    assert not Explanation((forward,), (), ("loss",)).proves(forward)
    assert not Explanation((forward,), open_forward=True).proves(forward)


def test_a_constant_of_one_is_a_missing_division() -> None:
    constant = next(fault for fault in DZ2_ROWS if fault.constant)
    assert is_plain(constant, 1.0)
    assert is_plain(constant, -1.0)
    assert not is_plain(constant, 0.5)
    assert not is_plain(DZ2_ROWS[0], 1.0)


def test_an_account_has_the_faults_of_both_passes() -> None:
    forward, gate = Culprit(FORWARD_ROWS[0]), Culprit(DZ1_ROWS[0])
    account = Account("torch", Explanation((forward,), (gate,)), ())
    assert account.torch
    assert account.culprits == (forward, gate)
