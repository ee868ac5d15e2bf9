"""The checks of the backward pass as a whole, each on a right answer and on a spoiled one."""

from __future__ import annotations

import numpy as np
import pytest

from grader.checks.backward import (
    edge_sizes,
    float32,
    own_loss,
    repeatable,
    stable,
    uses_cache,
    vectorised,
)
from grader.checks.check import Check
from grader.records import Ended, Mismatch
from tests.checks.simulation import by_batch, ends, fails, passes, put, waits


@pytest.mark.parametrize(("check", "case"), [(stable, "overflow"), (edge_sizes, "one_row")])
def test_special_cases(check: Check, case: str) -> None:
    fails(check, put(f"backward/{case}", "W1", lambda dW1: dW1 + 1))
    fails(check, ends(f"backward/{case}", Ended.RAISED), says="raised ValueError")
    waits(check, put("backward/", "W1", lambda dW1: dW1 + 1))
    passes(check, by_batch("backward/", "W1", lambda dW1, B: dW1 * B))  # which has its own check
    made = fails(
        check,
        put("backward/", "W1", lambda dW1: dW1 + 1),
        put(f"backward/{case}", "W1", lambda dW1: dW1 * np.nan),
    )
    assert {e.mismatch for e in made.bad} == {Mismatch.NOT_FINITE}


def test_own_loss() -> None:
    fails(own_loss, put("backward/primes", "W2", lambda dW2: 1.001 * dW2), says="dW2 along")
    fails(own_loss, put("backward/primes", "W2", lambda dW2: None), says="got nothing")
    fails(own_loss, put("difference/", "loss", lambda loss: np.full(5, loss)), says="no single")


def test_uses_cache() -> None:
    fails(uses_cache, put("backward/first", "X", lambda dX: dX + 1), says="X: got differs")
    waits(uses_cache, ends("backward/", Ended.RAISED))


def test_repeatable() -> None:
    fails(repeatable, put("backward/primes/again", "b1", lambda db1: 2 * db1), says="b1: got")


def test_float32() -> None:
    fails(float32, put("backward/float32", "b2", lambda db2: db2.astype(np.float64)), says="db2")
    fails(float32, ends("backward/float32", Ended.RAISED), says="float32 inputs: raised")


def test_vectorised_wants_right_numbers_at_the_size_of_real_work() -> None:
    def zeros(gradient: np.ndarray) -> np.ndarray:
        return 0 * gradient

    passes(vectorised)
    fails(vectorised, put("backward/realistic/", "W1", zeros), says="dW1: got max |·| 0")
    fails(vectorised, put("backward/realistic/2", "X", zeros), says="dX: got max |·| 0")
    fails(vectorised, put("forward/realistic/", "loss", lambda loss: loss + 1), says="loss: got")
    passes(vectorised, put("backward/", "W1", zeros))  # which has its own check


def test_vectorised() -> None:
    from dataclasses import replace

    def slow(runs: dict) -> None:
        for step, run in runs.items():
            runs[step] = replace(run, cpu_seconds=13 * run.cpu_seconds)

    fails(vectorised, slow, says="got 13.0; expected at most 12")
    fails(vectorised, ends("backward/realistic/", Ended.TIMEOUT), says="at the realistic size")
