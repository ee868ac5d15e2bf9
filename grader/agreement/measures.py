"""How well two markers agree, in the field's numbers, each with a bootstrap interval.

The numbers are scikit-learn's and SciPy's; this module chooses them and their resamples.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
LEVEL = 0.95
FEWEST = 3
"""Below so many submissions no number is given."""

MOST_UNDEFINED = 0.2
"""Of the resamples; beyond, a statistic has no interval."""

Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ratings:
    """What one marker gave, in one order of submissions: NaN where there is no mark or band."""

    name: str
    marks: Vector
    bands: Vector


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic with its 95 % percentile interval; NaN where it is not defined."""

    value: float
    low: float = math.nan
    high: float = math.nan

    @property
    def known(self) -> bool:
        return math.isfinite(self.value)

    @property
    def has_interval(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)


UNKNOWN = Estimate(math.nan)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two markers side by side. `marked` and `banded` count what both gave.

    `difference` is (mean of the first - mean of the second) over a standard deviation.
    """

    first: str
    second: str
    marked: int
    banded: int
    kappa: Estimate = UNKNOWN
    rho: Estimate = UNKNOWN
    difference: Estimate = UNKNOWN
    exact: Estimate = UNKNOWN
    adjacent: Estimate = UNKNOWN


def agreement(
    first: Ratings,
    second: Ratings,
    *,
    count: int,
    pooled: bool = False,
    intervals: bool = True,
) -> Agreement:
    """Return how `first` agrees with `second`, over what both gave; `count` is that of the bands.

    The mean difference is standardised by the second's standard deviation, the reference's; where
    neither is one, by the `pooled` one. A thousand resamples take about a second; without
    `intervals` there are none.
    """
    marks = _both(first.marks, second.marks)
    bands = _both(first.bands, second.bands)
    difference = pooled_difference if pooled else standardised_difference
    rho, mean_difference = estimates(marks, [rank_correlation, difference], intervals=intervals)
    of_bands = [_kappa_of(count), exact_share, adjacent_share]
    kappa, exact, adjacent = estimates(bands, of_bands, intervals=intervals)
    counts = marks.shape[1], bands.shape[1]
    return Agreement(first.name, second.name, *counts, kappa, rho, mean_difference, exact, adjacent)


def _both(first: Vector, second: Vector) -> Vector:
    """Return the pairs [2, n] that are complete."""
    pairs = np.stack([first, second]).astype(np.float64)
    return np.asarray(pairs[:, np.isfinite(pairs).all(axis=0)])


Statistic: TypeAlias = Callable[..., float]
"""A number of several columns, each [n]."""


def estimates(
    columns: Vector, statistics: Sequence[Statistic], *, intervals: bool = True
) -> list[Estimate]:
    """Return each statistic of `columns` [k, n] with its interval; all share their resamples."""
    from scipy.stats import bootstrap

    if columns.shape[1] < FEWEST:
        return [UNKNOWN] * len(statistics)

    def of(rows: Any) -> Vector:
        drawn = columns[:, np.asarray(rows, dtype=np.int64)]
        return np.array([statistic(*drawn) for statistic in statistics])

    rows = np.arange(columns.shape[1])
    if not intervals:
        return [Estimate(float(value)) for value in of(rows)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of samples that are all alike: they are counted below
        samples = bootstrap(
            (rows,), of, vectorized=False, n_resamples=RESAMPLES, method="percentile",
            rng=np.random.default_rng(0),
        ).bootstrap_distribution  # fmt: skip
    return [_estimate(value, row) for value, row in zip(of(rows), samples, strict=True)]


def _estimate(value: float, drawn: Vector) -> Estimate:
    defined = drawn[np.isfinite(drawn)]
    if not math.isfinite(value) or defined.size < (1 - MOST_UNDEFINED) * drawn.size:
        return Estimate(float(value))
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(value), float(low), float(high))


# ── the statistics ───────────────────────────────────────────────────────────


def quadratic_kappa(first: Vector, second: Vector, count: int) -> float:
    """Return Cohen's kappa of bands 0 to `count` - 1 with quadratic weights; NaN if all are one."""
    from sklearn.metrics import cohen_kappa_score

    labels = np.arange(count)
    one, other = first.astype(np.int64), second.astype(np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is undefined: the NaN says it
        return float(cohen_kappa_score(one, other, labels=labels, weights="quadratic"))


def _kappa_of(count: int) -> Statistic:
    return lambda first, second: quadratic_kappa(first, second, count)


def rank_correlation(first: Vector, second: Vector) -> float:
    """Return Spearman's rho; NaN where one of both is constant."""
    from scipy.stats import spearmanr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is undefined: the NaN says it
        return float(spearmanr(first, second).statistic)


def standardised_difference(first: Vector, second: Vector) -> float:
    """Return the difference of the means over the standard deviation of `second`; NaN if that is 0.

    So Williamson, Xi and Breyer (2012): standardised on the distribution of the human scores.
    """
    return _over(first.mean() - second.mean(), second.std(ddof=1))


def pooled_difference(first: Vector, second: Vector) -> float:
    """Return the difference of the means over the root of the mean variance; NaN if that is 0."""
    pooled = math.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
    return _over(first.mean() - second.mean(), pooled)


def _over(difference: float, deviation: float) -> float:
    return float(difference / deviation) if deviation > 0 else math.nan


def exact_share(first: Vector, second: Vector) -> float:
    """Return the share of equal bands."""
    return float(np.mean(first == second))


def adjacent_share(first: Vector, second: Vector) -> float:
    """Return the share of bands that are at most one apart; equal ones count."""
    return float(np.mean(np.abs(first - second) <= 1))
