"""How a gradient goes wrong, and when it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from grader.child.reports import Corruption, CorruptionKind
from grader.child.trials.corruption import corrupted, is_zero

SQUARE = np.array([[1.0, 2.0], [3.0, -4.0]])
KINDS = [("scale", 1.01), ("scale", -1.0), ("entry", 0.37), ("transpose", 0.0)]


@pytest.mark.parametrize(("kind", "amount"), KINDS)
def test_each_kind_is_another_gradient(kind: str, amount: float) -> None:
    wrong = corrupted(SQUARE, Corruption(CorruptionKind(kind), amount), None)
    assert wrong is not None and np.abs(wrong - SQUARE).max() >= 0.01


@pytest.mark.parametrize("value", [np.zeros((2, 2)), SQUARE * 1e-17, SQUARE.astype("f") * 1e-9])
def test_of_nothing_only_an_entry_can_be_wrong(value: np.ndarray) -> None:
    """Whoever compares rightly accepts 1.01 × 1e-17, so that says nothing of the comparison."""
    assert is_zero(value)
    done = {
        kind: corrupted(value, Corruption(CorruptionKind(kind), amount), None)
        for kind, amount in KINDS
    }
    assert [kind for kind, wrong in done.items() if wrong is not None] == ["entry"]
    assert np.abs(done["entry"]).max() == pytest.approx(1.0)


@pytest.mark.parametrize("value", [SQUARE * 1e-12, SQUARE.astype("f") * 1e-6, np.array([0.0, 1.0])])
def test_a_small_gradient_is_one(value: np.ndarray) -> None:
    assert not is_zero(value)
    assert corrupted(value, Corruption(CorruptionKind.SCALE, 2.0), None) is not None


@pytest.mark.parametrize(
    ("value", "kind"),
    [(np.ones(3), "transpose"), (np.ones((2, 3)), "transpose"), (np.eye(2), "transpose"),
     (np.zeros(0), "entry"), (np.ones(3), "mask")],
)  # fmt: skip
def test_what_would_change_nothing_is_none(value: np.ndarray, kind: str) -> None:
    assert corrupted(value, Corruption(CorruptionKind(kind), 0.37), None) is None
