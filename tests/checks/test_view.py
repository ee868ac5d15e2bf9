"""How a view compares one value, and what the line of evidence says of it."""

from __future__ import annotations

import numpy as np
import pytest

from grader.checks.view import failure, number, symbols, trouble
from grader.errors import HarnessError
from grader.problem.compare import FACTORS, factor_value
from grader.records import TENSORS, Ended, Mismatch, Observation
from tests.checks.simulation import PAPER, Edit, by_batch, ends, put, simulated

PRIMES = PAPER.cases["primes"]


def line(*edits, part: str = "backward", name: str = "W1"):
    """Return the evidence on a value of `primes`."""
    return simulated(*edits).value(part, "primes", name)


@pytest.mark.parametrize(
    ("change", "mismatch"),
    [
        (lambda dW1: dW1, Mismatch.NONE),
        (lambda dW1: dW1[None], Mismatch.NONE),  # axes of length one are the shape checks' matter
        (lambda dW1: dW1 + 1e-6, Mismatch.VALUE),
        (lambda dW1: dW1 * np.nan, Mismatch.NOT_FINITE),
        (lambda dW1: dW1 * np.inf, Mismatch.NOT_FINITE),
        (lambda dW1: dW1.T, Mismatch.SHAPE),
        (lambda dW1: dW1[:0], Mismatch.SHAPE),
        (lambda dW1: None, Mismatch.NOTHING),
    ],
)
def test_each_way_to_be_wrong_has_its_mismatch(change, mismatch: Mismatch) -> None:
    made = line(put("backward/primes", "W1", change))
    assert (made.mismatch, made.good) == (mismatch, mismatch is Mismatch.NONE)
    assert made.tensor == "W1"


@pytest.mark.parametrize(
    ("how", "mismatch"),
    [
        (Ended.RAISED, Mismatch.RAISED),
        (Ended.TIMEOUT, Mismatch.NO_ANSWER),
        (Ended.CRASH, Mismatch.NO_ANSWER),
        (Ended.MISSING, Mismatch.NOTHING),
        (Ended.BAD_RETURN, Mismatch.NOTHING),
    ],
)
def test_each_end_has_its_mismatch(how: Ended, mismatch: Mismatch) -> None:
    assert line(ends("backward/primes", how)).mismatch is mismatch
    assert failure(Observation(how)) is mismatch


def test_our_own_fault_is_no_evidence() -> None:
    with pytest.raises(HarnessError, match="backward/primes: the disk is full"):
        line(ends("backward/primes", Ended.HARNESS, "the disk is full"))


@pytest.mark.parametrize("factor", FACTORS)
def test_a_constant_factor_is_found(factor: str) -> None:
    def scale(case: str) -> Edit:
        times = factor_value(factor, PAPER.cases[case].sizes)
        return put(f"backward/{case}", "W1", lambda dW1: dW1 * times)

    view = simulated(scale("primes"), scale("more_rows"))
    assert view.factor("backward", "W1") == factor


def test_no_factor_is_found_in_what_is_wrong_otherwise() -> None:
    assert simulated(put("torch/primes", "X", np.square)).factor("torch", "X") is None
    twice = by_batch("backward/", "W1", lambda dW1, B: dW1 * 2)
    assert simulated(twice).factor("backward", "W1") is None


def test_float32_is_allowed_to_the_pytorch_part_alone() -> None:
    rounded = [put("", t, lambda g: g.astype(np.float32).astype(np.float64)) for t in TENSORS]
    view = simulated(*rounded)
    assert view.value("torch", "primes", "W1").good
    assert not view.value("backward", "primes", "W1").good


def test_what_is_made_once_is_kept() -> None:
    view, made = simulated(), []
    assert [view.once("key", lambda: len(made) or made.append(1) or 7) for _ in range(2)] == [7, 7]


def test_a_second_call_may_differ_in_a_last_bit() -> None:
    bit = put("backward/primes/again", "W1", lambda dW1: dW1 * (1 + 4e-16))
    assert all(line.good for line in simulated(bit).again("backward/primes"))
    more = put("backward/primes/again", "W1", lambda dW1: dW1 * (1 + 1e-10))
    bad = [line.tensor for line in simulated(more).again("backward/primes") if not line.good]
    assert bad == ["W1"]


def test_shapes_read_back_as_letters_where_sizes_are_distinct() -> None:
    sizes = PRIMES.sizes
    assert symbols(PRIMES.W1.shape, sizes) == "[D, H]"
    assert symbols((), sizes) == "a scalar"
    assert symbols((1, sizes["H"], 1000), sizes) == "[1, H, 1000]"
    assert symbols((6, 6), {"B": 6, "D": 6, "H": 6, "C": 6}) == "[6, 6]"


def test_numbers_and_troubles_in_words() -> None:
    assert [number(x) for x in (1 / 3, 1e-12, float("nan"))] == ["0.33333", "1e-12", "nan"]
    problems = Observation(Ended.OK, problems={"W1": "has dtype <U1", "X": "is None"})
    assert trouble(problems, "dX") == "is None"
    assert trouble(problems, "db1") == "not returned"
    assert trouble(Observation(Ended.CRASH, error="SIGSEGV"), "loss") == "crash: SIGSEGV"
