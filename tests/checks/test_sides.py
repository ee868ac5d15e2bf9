"""What both parts are asked: past a factor that another check tells of, and not past a break."""

from __future__ import annotations

import numpy as np

from grader.checks.sides import beyond_factors, no_ratio, returned, scaled, values
from grader.records import CheckStatus, Ended, Mismatch
from tests.checks.simulation import by_batch, ends, put, simulated

WRONG = {"W1": "part.dW1", "b1": "part.db1"}


def beyond(*edits) -> tuple[CheckStatus, tuple[str, ...]]:
    """Return what is concluded of two gradients on `one_row`, and what is waited for."""
    breaks = (Mismatch.NOT_FINITE,)
    made = beyond_factors(simulated(*edits), "backward", WRONG, ("one_row",), "", "", breaks)
    return made.status, made.waited_for


def test_a_factor_and_an_error_elsewhere_are_looked_past() -> None:
    wrong = put("backward/", "W1", lambda dW1: dW1 + 1)
    assert beyond(by_batch("backward/", "W1", lambda dW1, B: dW1 * B))[0] is CheckStatus.PASS
    assert beyond(wrong) == (CheckStatus.SKIPPED, ("part.dW1",))
    assert beyond(wrong, put("backward/one_row", "b1", np.zeros_like))[0] is CheckStatus.FAIL
    assert beyond(wrong, put("backward/one_row", "W1", lambda g: g * np.nan))[0] is CheckStatus.FAIL


def test_values_and_returns() -> None:
    view = simulated(ends("torch/square", Ended.RAISED))
    assert [line.good for line in values(view, "torch", "X", ("primes", "square"))] == [True, False]
    assert returned(view, "torch", "f", "loss", "Fine.").status is CheckStatus.PASS


def test_which_factors_are_sizes() -> None:
    assert [scaled(f) for f in ("B", "1/C", "1", "-1", None)] == [True, True, False, False, False]
    assert [no_ratio(None), no_ratio("2")] == ["no constant ratio", "2"]
