"""The statistics, against numbers by hand and published examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.agreement.measures import (
    Estimate,
    Ratings,
    Vector,
    adjacent_share,
    agreement,
    exact_share,
    pooled_difference,
    quadratic_kappa,
    rank_correlation,
    standardised_difference,
)

BANDS = 5


def vector(*values: float) -> Vector:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(
    ("first", "second", "kappa"),
    [  # by hand: 1 - mean (a - b)² / (var a + var b + (mean a - mean b)²)
        ((0, 2, 4), (1, 3, 5), 1 - 1 / (8 / 3 + 8 / 3 + 1)),
        ((0, 1, 0), (0, 1, 1), 0.4),
        ((0, 1, 2, 0, 1, 1, 2), (0, 1, 2, 0, 1, 2, 1), 0.75),
        ((0, 4), (4, 0), -1.0),
    ],
)
def test_quadratic_kappa(first: tuple[int, ...], second: tuple[int, ...], kappa: float) -> None:
    assert quadratic_kappa(vector(*first), vector(*second), 6) == pytest.approx(kappa)


def test_kappa_of_one_band_is_undefined() -> None:
    assert math.isnan(quadratic_kappa(vector(3, 3, 3), vector(3, 3, 3), BANDS))


def test_rank_correlation() -> None:
    """Of the example in Wikipedia's “Spearman's rank correlation coefficient”: -29/165."""
    iq = vector(106, 100, 86, 101, 99, 103, 97, 113, 112, 110)
    hours = vector(7, 27, 2, 50, 28, 29, 20, 12, 6, 17)
    assert rank_correlation(iq, hours) == pytest.approx(-29 / 165)


def test_mean_difference() -> None:
    first, second = vector(60, 70, 80), vector(50, 60, 70)  # deviations of 10
    assert standardised_difference(first, second) == pytest.approx(1.0)
    wide = vector(40, 60, 80)  # a deviation of 20
    assert standardised_difference(first, wide) == pytest.approx(0.5)
    assert pooled_difference(first, wide) == pytest.approx(10 / math.sqrt((100 + 400) / 2))
    assert math.isnan(standardised_difference(first, vector(5, 5, 5)))


def test_shares() -> None:
    first, second = vector(0, 1, 2, 4), vector(0, 2, 4, 4)
    assert exact_share(first, second) == 0.5
    assert adjacent_share(first, second) == 0.75


bands = st.lists(st.integers(0, BANDS - 1), min_size=2, max_size=30)
two = st.lists(st.tuples(st.integers(0, BANDS - 1), st.integers(0, BANDS - 1)), min_size=2)


@given(bands)
def test_kappa_of_equal_bands_is_one(one: list[int]) -> None:
    kappa = quadratic_kappa(vector(*one), vector(*one), BANDS)
    assert math.isnan(kappa) if len(set(one)) == 1 else kappa == pytest.approx(1.0)


@given(two)
def test_kappa_is_symmetric_and_that_of_the_moments(pairs: list[tuple[int, int]]) -> None:
    first, second = (vector(*column) for column in zip(*pairs, strict=True))
    chance = first.var() + second.var() + (first.mean() - second.mean()) ** 2
    kappa = quadratic_kappa(first, second, BANDS)
    if chance > 0:
        assert kappa == pytest.approx(1 - float(np.mean((first - second) ** 2)) / chance)
        assert kappa == pytest.approx(quadratic_kappa(second, first, BANDS))
    assert exact_share(first, second) <= adjacent_share(first, second)


def ratings(name: str, marks: list[float], bands: list[float]) -> Ratings:
    return Ratings(name, vector(*marks), vector(*bands))


def test_an_agreement_counts_what_both_gave() -> None:
    one = ratings("a", [10, 20, 30, 40, math.nan], [0, 1, 2, 3, 4])
    other = ratings("b", [11, 22, 33, math.nan, 55], [0, 1, math.nan, math.nan, 4])
    got = agreement(one, other, count=BANDS)
    assert (got.first, got.second, got.marked, got.banded) == ("a", "b", 3, 3)
    assert got.rho.value == pytest.approx(1.0)
    assert got.kappa.value == pytest.approx(1.0)
    assert got.difference.value == pytest.approx(-2 / 11)


def test_an_interval_holds_its_value_and_is_the_same_twice() -> None:
    rng = np.random.default_rng(3)
    marks = rng.uniform(0, 100, 25)
    noisy = np.clip(marks + rng.normal(0, 20, 25), 0, 100)
    one, other = (Ratings(n, m, np.floor(m / 20.01)) for n, m in (("a", marks), ("b", noisy)))
    got = agreement(one, other, count=BANDS)
    for estimate in (got.kappa, got.rho, got.difference, got.exact, got.adjacent):
        assert estimate.low <= estimate.value <= estimate.high
    assert got.kappa.low < got.kappa.high
    assert agreement(one, other, count=BANDS) == got


def test_too_few_give_no_number() -> None:
    got = agreement(ratings("a", [1, 2], [0, 1]), ratings("b", [1, 2], [0, 1]), count=BANDS)
    assert not got.kappa.known
    assert not got.rho.known
    assert got.marked == 2


def test_what_is_often_undefined_has_no_interval() -> None:
    one, other = (
        ratings("a", [50, 50, 50, 60], [2, 2, 2, 3]),
        ratings("b", [1, 2, 3, 4], [2, 2, 2, 3]),
    )
    got = agreement(one, other, count=BANDS)
    assert got.kappa.value == pytest.approx(1.0)
    assert not got.kappa.has_interval
    assert not Estimate(1.0).has_interval
