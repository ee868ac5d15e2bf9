"""Propose other numbers for a rubric, where they predict marks that they were not fitted to."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grader.agreement.comparison import Compared, Comparison
from grader.agreement.fitting import FitCase, Prediction, fit, left_out
from grader.agreement.measures import (
    Estimate,
    Vector,
    estimates,
    quadratic_kappa,
    rank_correlation,
)
from grader.agreement.weights import FACTORS, Key, RubricWeights, rewritten, rubric_weights
from grader.errors import CallerError

FEWEST_FITTED = 10
"""Marked submissions below which nothing is fitted."""

MOST_LOSS = 0.01
"""What kappa or rho may lose, and the error gain, as a share of the marks' range."""


@dataclass(frozen=True, slots=True)
class Scores:
    """How well predictions meet the marks: kappa, rho, and the mean absolute error in points.

    NaN where there are no bands, or no marks.
    """

    kappa: float
    rho: float
    error: float

    def is_worse(self, before: Scores) -> bool:
        """Tell whether one of the three is worse than before by more than `MOST_LOSS`."""
        losses = (
            before.kappa - self.kappa,
            before.rho - self.rho,
            (self.error - before.error) / 100,
        )
        return any(loss > MOST_LOSS for loss in losses)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What was tried. `diff` is a unified diff of the rubric file, "" where nothing is proposed.

    `before` and `after` are of marks that were left out of the fit; `gain` is by how much kappa
    rises, or by how many points the error falls where there are no bands.
    """

    count: int
    before: Scores
    after: Scores
    gain: Estimate
    diff: str


def suggest(comparison: Comparison, rubric_file: Path) -> Suggestion:
    """Fit the rubric's numbers to the panel, test them on left-out marks, and return the outcome.

    Raises `CallerError` with too few marks, or where the rubric has no number to fit.
    """
    text = comparison.rubric.text.decode("utf-8")
    present = rubric_weights(text)
    if not present.values():
        raise CallerError("--suggest: the rubric has no bands and no factors to fit")
    cases = [case_of(one, present) for one in comparison.compared]
    if not present.factors:
        cases = [case for case in cases if case.band is not None]
    if len(cases) < FEWEST_FITTED:
        what = "marks" if present.factors else "bands"
        raise CallerError(
            f"--suggest needs {what} for at least {FEWEST_FITTED} scored submissions, "
            f"and has {len(cases)}"
        )
    now, fitted = left_out(cases, present)
    count = len(comparison.bands)
    before, after = (_scores(cases, predictions, count) for predictions in (now, fitted))
    gain = _gain(cases, now, fitted, count)
    is_better = gain.low > 0 and not after.is_worse(before)
    diff = _diff(text, fit(cases, present), rubric_file) if is_better else ""
    return Suggestion(len(cases), before, after, gain, diff)


def case_of(compared: Compared, present: RubricWeights) -> FitCase:
    """Return what is needed to score a submission anew, from its recorded result.

    The score before the factors is the recorded one divided by what its mistakes leave; what a
    gate capped counts as capped. A score of 0 tells nothing of it and stays.
    """
    powers: dict[Key, float] = {}
    for mistake in compared.document.get("mistakes", ()) if compared.percent > 0 else ():
        key = (FACTORS, *str(mistake["factor"]).split("."))
        if present.factors.get(key, 0.0) > 0:
            powers[key] = powers.get(key, 0.0) + float(mistake["power"])
    left = math.prod(present.factors[key] ** power for key, power in powers.items())
    return FitCase(compared.percent / left, powers, compared.mark, compared.panel_band)


def _scores(cases: Sequence[FitCase], predictions: Sequence[Prediction], count: int) -> Scores:
    both = list(zip(cases, predictions, strict=True))
    bands = np.array([(p.band, c.band) for c, p in both if c.band is not None], dtype=float)
    marks = np.array([(p.percent, c.mark) for c, p in both if c.mark is not None], dtype=float)
    kappa = quadratic_kappa(bands[:, 0], bands[:, 1], count) if bands.size else math.nan
    rho = rank_correlation(marks[:, 0], marks[:, 1]) if len(marks) > 1 else math.nan
    error = float(np.abs(marks[:, 0] - marks[:, 1]).mean()) if marks.size else math.nan
    return Scores(kappa, rho, error)


def _gain(
    cases: Sequence[FitCase], now: Sequence[Prediction], fitted: Sequence[Prediction], count: int
) -> Estimate:
    """Return what the fit gains on left-out marks, with its interval; see `Suggestion`."""
    rows = list(zip(cases, now, fitted, strict=True))
    bands = np.array([(c.band, n.band, f.band) for c, n, f in rows if c.band is not None], float)
    if len(bands):

        def rise(panel: Vector, old: Vector, new: Vector) -> float:
            return quadratic_kappa(new, panel, count) - quadratic_kappa(old, panel, count)

        return estimates(bands.T, [rise])[0]
    marks = [(c.mark, n.percent, f.percent) for c, n, f in rows if c.mark is not None]
    return estimates(np.array(marks, float).T, [_fall])[0]


def _fall(panel: Vector, old: Vector, new: Vector) -> float:
    return float(np.mean(np.abs(old - panel)) - np.mean(np.abs(new - panel)))


def _diff(text: str, weights: RubricWeights, file: Path) -> str:
    new = rewritten(text, weights)
    lines = (text.splitlines(keepends=True), new.splitlines(keepends=True))
    name = str(file)
    return "".join(difflib.unified_diff(*lines, fromfile=name, tofile=name))
