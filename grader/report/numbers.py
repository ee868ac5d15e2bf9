"""Numbers as text. Scores never round up to full, nor down to nothing.

The idea is coverage.py's (`coverage/results.py`): "100" must mean all of it.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

TENTH = Decimal("0.1")


def display_score(score: float, max_score: float) -> str:
    """Return `score` with one decimal: 99.96 of 100 gives "99.9", 0.04 gives "0.1"."""
    return str(_tenths(Decimal(repr(float(score))), Decimal(repr(float(max_score)))))


def display_percent(score: float, max_score: float) -> str:
    """Return `score` as a percentage of `max_score`, one decimal, without the sign: "99.9".

    Nothing of nothing gives "0.0".
    """
    if max_score <= 0:
        return "0.0"
    percent = 100 * Fraction(repr(float(score))) / Fraction(repr(float(max_score)))
    numerator, denominator = percent.as_integer_ratio()
    return str(_tenths(Decimal(numerator) / Decimal(denominator), Decimal(100)))


def _tenths(value: Decimal, full: Decimal) -> Decimal:
    rounded = value.quantize(TENTH, ROUND_HALF_EVEN)
    rounded_full = full.quantize(TENTH, ROUND_HALF_EVEN)
    if value < full and rounded >= rounded_full:
        rounded = rounded_full - TENTH
    if value > 0 and rounded < TENTH:
        rounded = TENTH
    return max(rounded, Decimal("0.0"))


def score_of(score: float, max_score: float) -> str:
    """Return a total with what it is out of: `78.5 / 85`."""
    return f"{display_score(score, max_score).removesuffix('.0')} / {points(max_score)}"


def percent_of(score: float, max_score: float) -> str:
    """Return the total as a percentage: `92.4%`; "" when nothing is decided."""
    return f"{display_percent(score, max_score).removesuffix('.0')}%" if max_score > 0 else ""


def points(value: float) -> str:
    """Return a single item's points, without trailing zeros: 4, 2.5, 0.25."""
    return f"{round_down(value, 100):g}"


def tenths(value: float) -> str:
    """Return points of a whole submission or part, one decimal at most: 28.9, 34."""
    return f"{value:.1f}".removesuffix(".0")


def share(part: float, whole: float) -> str:
    """Return `part` of `whole` as a bar's length in [0, 100]."""
    return f"{round_down(100 * min(1.0, max(0.0, part / whole)), 10):g}" if whole > 0 else "0"


def plural(count: int, one: str) -> str:
    """Return the count with its noun: `1 check`, `3 checks`."""
    return f"{count:,} {one if count == 1 else one + 's'}"


def round_down(value: float, steps: int) -> float:
    """Return `value` as a whole number of 1/`steps`, forgiving the last bits of a sum."""
    return math.floor(round(value * steps, 6)) / steps
