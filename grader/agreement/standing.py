"""How the grader stands against the field's bar for automated scoring.

Williamson, Xi and Breyer (2012), "A Framework for Evaluation and Use of Automated Scoring",
Educational Measurement: Issues and Practice 31(1), 2-13.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from grader.agreement.comparison import Comparison

LEAST_KAPPA = 0.70
MOST_BELOW_HUMANS = 0.10
MOST_DIFFERENCE = 0.15
SOURCE = "Williamson, Xi and Breyer 2012"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One demand of the bar. `met` is None where it cannot be judged; `value` is NaN then."""

    title: str
    demand: str
    value: float
    met: bool | None


def criteria(comparison: Comparison) -> tuple[Criterion, ...]:
    """Return the demands, judged by the values themselves and not by their intervals."""
    kappa, difference = comparison.grader.kappa.value, comparison.grader.difference.value
    below = round(comparison.human_kappa - kappa, 9)
    return (
        Criterion(
            "kappa", f"at least {LEAST_KAPPA:.2f}", kappa, _judged(kappa, met=kappa >= LEAST_KAPPA)
        ),
        Criterion(
            "kappa below that of the markers among themselves",
            f"at most {MOST_BELOW_HUMANS:.2f}",
            below,
            _judged(below, met=below <= MOST_BELOW_HUMANS),
        ),
        Criterion(
            "standardised mean difference",
            f"at most {MOST_DIFFERENCE:.2f} either way",
            difference,
            _judged(difference, met=abs(difference) <= MOST_DIFFERENCE),
        ),
    )


def _judged(value: float, *, met: bool) -> bool | None:
    return met if math.isfinite(value) else None
