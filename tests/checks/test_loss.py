"""The checks of the loss, each on a right answer and on a spoiled one."""

from __future__ import annotations

import numpy as np
import pytest

from grader.checks.check import Check
from grader.checks.loss import (
    bias,
    edge_sizes,
    gather,
    loss,
    mean,
    overflow,
    row_max,
    scalar,
    underflow,
)
from grader.records import Ended, Mismatch
from tests.checks.simulation import by_batch, ends, exam, fails, passes, put, waits

SPECIAL = [
    (overflow, "overflow"),
    (underflow, "underflow"),
    (row_max, "offsets"),
    (gather, "absent"),
    (gather, "labels_uint8"),
    (bias, "batch_is_hidden"),
    (edge_sizes, "one_row"),
]
"""Checks, and one of the cases that they look at."""

WRONG = put("forward/", "loss", lambda loss: loss + 1)


def test_loss_has_to_be_right_at_the_size_of_real_work() -> None:
    fails(loss, put("forward/realistic/", "loss", lambda value: value + 1), says="case realistic")


def test_loss() -> None:
    made = fails(loss, put("forward/more_rows", "loss", lambda loss: loss + 1e-6))
    assert [(e.case, e.tensor, e.mismatch) for e in made.bad] == [
        ("more_rows", "loss", Mismatch.VALUE)
    ]
    passes(loss, put("forward/", "loss", lambda loss: loss * (1 + 1e-15)))
    fails(loss, put("forward/", "loss", lambda loss: loss * np.nan), says="nan")
    fails(loss, put("forward/", "loss", lambda loss: None), says="not returned")


def test_scalar() -> None:
    fails(scalar, put("forward/", "loss", lambda loss: np.full(5, loss)), says="a scalar is wanted")
    fails(scalar, put("forward/", "loss", lambda loss: loss.reshape(1)))


def test_mean() -> None:
    fails(mean, by_batch("forward/", "loss", lambda loss, B: loss * B), says="B ×")
    fails(mean, by_batch("forward/", "loss", lambda loss, B: loss * B + 1), says="batch twice")
    waits(mean, put("forward/", "loss", lambda loss: np.full(5, loss)))


@pytest.mark.parametrize(("check", "case"), SPECIAL, ids=lambda item: getattr(item, "id", item))
def test_special_cases(check: Check, case: str) -> None:
    fails(check, put(f"forward/{case}", "loss", lambda loss: loss * 1.001))
    fails(check, ends(f"forward/{case}", Ended.RAISED, "IndexError: 9"), says="IndexError: 9")


@pytest.mark.parametrize("check", dict.fromkeys(check for check, _ in SPECIAL), ids=lambda c: c.id)
def test_special_cases_beside_a_wrong_loss(check: Check) -> None:
    waits(check, WRONG)
    fails(check, WRONG, put("forward/", "loss", lambda loss: loss * np.inf))
    passes(check, by_batch("forward/", "loss", lambda loss, B: loss * B))  # which `mean` tells of


def test_gather_reads_back_that_every_row_meets_every_label() -> None:
    primes = exam().expected["primes"]
    crossed = -primes["logP"][:, primes.case.y].mean()
    fails(gather, put("forward/primes", "loss", lambda loss: crossed), says="p[:, y] is [B, B]")
