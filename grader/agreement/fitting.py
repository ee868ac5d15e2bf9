"""Fit a rubric's numbers to marks, and test the fit on marks that it has not seen.

Band thresholds are whole per cents, the exact minimum of the squared distance between bands
(dynamic programming over the per cents); of equally good ones those nearest to the present ones.
Factors minimise the squared distance between scores and marks, in hundredths; each is pulled to
its present value as by one more mark there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.agreement.weights import Key, RubricWeights

FULL = 100
PULL = 1.0
"""How much a factor's present value weighs, in marked submissions."""

TIE = 1e-6
"""What a per cent of distance from the present threshold costs, beside 1 for a band's step."""

LEAST_FACTOR = 0.01
FOLDS = 20
"""Parts that are left out in turn; with fewer submissions, one is left out at a time."""

Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FitCase:
    """A marked submission, as far as it is needed to score it anew.

    `base` is its score in per cent before `factors` apply, each to its power; `mark` (in per
    cent) and `band` (0 the lowest) are the panel's, None where it gave none.
    """

    base: float
    factors: Mapping[Key, float]
    mark: float | None
    band: int | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a rubric gives a submission: its score in per cent, and its band."""

    percent: float
    band: int


def predict(case: FitCase, weights: RubricWeights) -> Prediction:
    """Return what a rubric with `weights` gives."""
    percent = case.base
    for key, power in case.factors.items():
        percent *= weights.factors[key] ** power
    percent = round(percent, 9)  # a score on a threshold reaches it
    return Prediction(percent, sum(percent >= threshold for threshold in weights.thresholds))


def fit(cases: Sequence[FitCase], present: RubricWeights) -> RubricWeights:
    """Return the numbers that fit `cases` best; what no case speaks of stays as it is."""
    weights = replace(present, factors={**present.factors, **_fitted_factors(cases, present)})
    return replace(weights, thresholds=_fitted_thresholds(cases, weights))


def left_out(
    cases: Sequence[FitCase], present: RubricWeights
) -> tuple[list[Prediction], list[Prediction]]:
    """Return for each case what the present numbers give, and what a fit on the others gives.

    The parts are dealt out in the order of the marks, so that each holds good and bad ones.
    """
    order = sorted(range(len(cases)), key=lambda at: (_rank(cases[at]), at))
    parts = min(FOLDS, len(cases))
    after: dict[int, Prediction] = {}
    for part in range(parts):
        held = order[part::parts]
        weights = fit([case for at, case in enumerate(cases) if at not in held], present)
        after |= {at: predict(cases[at], weights) for at in held}
    return [predict(case, present) for case in cases], [after[at] for at in range(len(cases))]


def _rank(case: FitCase) -> tuple[float, float]:
    return (
        -1.0 if case.band is None else float(case.band),
        -1.0 if case.mark is None else case.mark,
    )


# ── thresholds ───────────────────────────────────────────────────────────────


def _fitted_thresholds(cases: Sequence[FitCase], present: RubricWeights) -> tuple[float, ...]:
    banded = [case for case in cases if case.band is not None]
    if not banded or not present.thresholds:
        return present.thresholds
    percents = np.array([predict(case, present).percent for case in banded])
    bands = np.array([float(case.band or 0) for case in banded])
    return best_thresholds(percents, bands, present.thresholds)


def best_thresholds(percents: Vector, bands: Vector, present: Sequence[float]) -> tuple[float, ...]:
    """Return the ascending whole per cents that part `percents` [n] best into `bands` [n].

    `present` are the thresholds now, ascending, one fewer than there are bands.
    """
    starts = np.arange(FULL + 1)
    below = percents[None, :] < starts[:, None]  # [start, n]
    costs = [below @ (band - bands) ** 2 for band in range(len(present) + 1)]  # of all below
    # best[t]: the least cost of all below t, where the band that is being laid ends at t
    best, ways = costs[0] + TIE * np.abs(starts - present[0]), []
    best[0] = np.inf
    for band in range(1, len(present)):
        ready = np.where(starts[None, :] < starts[:, None], best - costs[band], np.inf)
        way = ready.argmin(axis=1)
        ways.append(way)
        best = ready[starts, way] + costs[band] + TIE * np.abs(starts - present[band])
    last = len(present)
    total = best + ((last - bands) ** 2).sum() - costs[last]
    ends = [int(total.argmin())]
    for way in reversed(ways):
        ends.append(int(way[ends[-1]]))
    return tuple(float(end) for end in reversed(ends))


# ── factors ──────────────────────────────────────────────────────────────────


def _fitted_factors(cases: Sequence[FitCase], present: RubricWeights) -> dict[Key, float]:
    from scipy.optimize import least_squares

    marked = [case for case in cases if case.mark is not None and case.factors]
    keys = sorted({key for case in marked for key in case.factors}, key=str)
    if not keys:
        return {}
    uses = np.array([[case.factors.get(key, 0.0) for key in keys] for case in marked])
    bases = np.array([case.base for case in marked])
    marks = np.array([case.mark for case in marked], dtype=float)
    now = np.clip(np.array([present.factors[key] for key in keys]), LEAST_FACTOR, 1.0)

    def residuals(factors: Vector) -> Vector:
        scores = bases * np.exp(uses @ np.log(factors))
        return np.concatenate([scores - marks, PULL * FULL * (factors - now)])

    found = least_squares(residuals, now, bounds=(LEAST_FACTOR, 1.0)).x
    return {key: round(float(value), 2) for key, value in zip(keys, found, strict=True)}
