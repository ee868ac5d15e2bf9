"""The checks of the forward pass, each on a right answer and on a spoiled one."""

from __future__ import annotations

import numpy as np

from grader.checks import forward
from grader.checks.forward import (
    cache,
    float32,
    loads,
    numpy_only,
    pure,
    repeatable,
    runs,
    shapes,
)
from grader.records import CheckStatus, Ended, Mismatch, Observation
from tests.checks.simulation import PAPER, ends, fails, finding, left_open, put, told, waits

RAISED = Observation(Ended.RAISED, error="NameError: np")


def test_loads() -> None:
    fails(loads, loaded=RAISED, says="NameError: np")
    assert finding(loads, loaded=Observation(Ended.HARNESS)).status is CheckStatus.ERROR


def test_runs() -> None:
    fails(runs, ends("forward/", Ended.RAISED), says="forward: raised ValueError: shapes")
    fails(runs, ends("forward/", Ended.MISSING), says="not defined")


def test_shapes() -> None:
    fails(shapes, put("forward/primes", "cache4", lambda Z1: Z1[:, None, :]), says="Z1 in cache[4]")
    unseen = [put("forward/primes", f"cache{i}", lambda a: 7 * a) for i in range(7)]
    waits(shapes, *unseen, put("forward/", "loss", lambda loss: loss + 1))


def test_cache() -> None:
    b1 = PAPER.cases["primes"].b1
    fails(cache, put("forward/primes", "cache0", lambda X: b1), says="The cache holds b1, which")
    left_open(cache, told("forward/primes", paths=()))


def test_pure() -> None:
    made = fails(pure, put("forward/primes", "after_X", lambda X: X + 1e-12), says="X: got changed")
    assert [(e.tensor, e.mismatch) for e in made.bad] == [("X", Mismatch.CHANGED)]


def test_repeatable() -> None:
    fails(repeatable, put("forward/primes/again", "loss", lambda loss: loss * (1 + 1e-9)))


def test_float32() -> None:
    fails(float32, put("forward/float32", "loss", lambda loss: loss.astype(np.float64)))
    fails(float32, put("forward/float32", "cache5", lambda H1: H1.astype(np.float64)))
    wrong = put("forward/", "loss", lambda loss: loss + 1)
    waits(float32, wrong, told("forward/float32", paths=()))
    assert finding(float32, wrong).status is CheckStatus.PASS  # by the dtypes in the cache


def test_numpy_only() -> None:
    fails(numpy_only, ends("backward/square", Ended.FRAMEWORK, "torch.tensor"), says="torch.tensor")
    waits(numpy_only, ends("", Ended.RAISED))


def test_the_checks_of_the_loss_are_among_them() -> None:
    assert {check.part for check in forward.FORWARD} == {"forward"}
