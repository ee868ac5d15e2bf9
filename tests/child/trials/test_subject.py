"""Two sides that differ by more than rounding are told apart; what a check takes is read off it."""

from __future__ import annotations

import numpy as np
import pytest

from grader.child.trials.subject import Sides, takes

ONES = np.ones((2, 3))


@pytest.mark.parametrize(
    ("other", "differ"),
    [(ONES, False), (ONES * (1 + 1e-14), False), (ONES * 1.001, True), (ONES.T, True),
     (ONES * np.nan, True)],
)  # fmt: skip
def test_sides_differ_beyond_rounding(other: np.ndarray, differ: bool) -> None:
    assert Sides({"W1": ONES}, {"W1": other}).differ("W1") is differ
    assert not Sides({"W1": ONES}).differ("W1")


def test_what_a_function_takes() -> None:
    assert takes(lambda a, b: 0, 1, 2) and not takes(lambda: 0, 1)
    assert takes(lambda *_: 0, 1, 2, 3) and not takes(lambda a, *, b: 0, 1)
