"""A paper is its seed's; an error is measured so that NaN and a wrong shape never pass."""

from __future__ import annotations

import numpy as np
import pytest

from grader.problem import Expected, set_paper
from grader.problem.compare import limit
from grader.records import TENSORS
from tests.problem import network


@pytest.fixture(scope="module")
def primes() -> Expected:
    case = set_paper(5).cases["primes"]
    return Expected(case, network.answers(**case.inputs))


def test_a_paper_is_the_same_for_the_same_seed() -> None:
    one, other = set_paper(9), set_paper(9)
    assert one.noise == other.noise
    assert all(np.array_equal(one.directions[t], other.directions[t]) for t in TENSORS)
    assert all(np.array_equal(c.X, other.cases[n].X) for n, c in one.cases.items())


def test_papers_of_different_seeds_differ() -> None:
    papers = [set_paper(seed) for seed in range(20)]
    assert len({p.noise for p in papers}) == 20
    assert len({p.directions["b2"].tobytes() for p in papers}) == 20


def test_the_noise_a_child_is_told_does_not_give_the_seed_away() -> None:
    for seed in (0, 1, 12345):
        paper = set_paper(seed)
        assert paper.noise != seed
        assert 0 <= paper.noise < 2**31  # NumPy's generator takes no more than 32 bits


def test_directions_have_the_shapes_of_the_tensors_of_primes() -> None:
    paper = set_paper(2)
    case = paper.cases["primes"]
    assert {t: d.shape for t, d in paper.directions.items()} == {
        t: case.inputs[t].shape for t in TENSORS
    }


def test_the_right_answer_has_no_error(primes: Expected) -> None:
    assert all(primes.error(name, value) == 0 for name, value in primes.values.items())


def test_an_error_is_relative_to_the_largest_entry(primes: Expected) -> None:
    want = primes["dW1"]
    got = want.copy()
    got[0, 0] += np.abs(want).max() / 8
    assert primes.error("dW1", got) == pytest.approx(1 / 8 * np.abs(want).max() / max(
        np.abs(want).max(), 1 / primes.case.sizes["B"]))  # fmt: skip


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_never_within_the_limit(primes: Expected, bad: float) -> None:
    got = primes["dX"].copy()
    got[-1, -1] = bad
    assert not primes.error("dX", got) <= primes.limit()


def test_nan_beside_a_large_error_is_not_lost(primes: Expected) -> None:
    got = primes["db1"].copy()
    got[0], got[-1] = 1e300, np.nan
    assert np.isnan(primes.error("db1", got))


@pytest.mark.parametrize("shape", ["transposed", "flat", "more", "empty", "scalar"])
def test_a_shape_that_would_broadcast_is_refused(primes: Expected, shape: str) -> None:
    want = primes["dW2"]
    got = {
        "transposed": want.T, "flat": want.ravel(), "more": want[None],
        "empty": want[:0], "scalar": want[0, 0],
    }[shape]  # fmt: skip
    with pytest.raises(ValueError, match="dW2"):
        primes.error("dW2", np.asarray(got))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, np.bool_])
def test_any_dtype_that_can_arrive_can_be_measured(primes: Expected, dtype: type) -> None:
    got = np.zeros(primes["db1"].shape, dtype)
    assert primes.error("db1", got) > primes.limit()


def test_the_limit_is_that_of_the_case(primes: Expected) -> None:
    terms, largest = sum(primes.case.sizes.values()), float(np.abs(primes["Z2"]).max())
    double, single = np.dtype(np.float64), np.dtype(np.float32)
    assert primes.limit() == limit(terms, largest, double)
    assert primes.limit(single) == limit(terms, largest, single)
