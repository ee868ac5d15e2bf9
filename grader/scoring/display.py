"""Scores as text. They never round up to full, nor down to nothing.

The idea is coverage.py's (`coverage/results.py`): "100" must mean all of it.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

TENTH = Decimal("0.1")


def display_score(score: float, max_score: float) -> str:
    """`score` with one decimal: 99.96 of 100 shows "99.9", 0.04 shows "0.1"."""
    return str(_shown(Decimal(repr(float(score))), Decimal(repr(float(max_score)))))


def display_percent(score: float, max_score: float) -> str:
    """`score` as a percentage of `max_score`, one decimal, without the sign: "99.9".

    Nothing of nothing shows "0.0".
    """
    if max_score <= 0:
        return "0.0"
    percent = 100 * Fraction(repr(float(score))) / Fraction(repr(float(max_score)))
    numerator, denominator = percent.as_integer_ratio()
    return str(_shown(Decimal(numerator) / Decimal(denominator), Decimal(100)))


def _shown(value: Decimal, full: Decimal) -> Decimal:
    rounded = value.quantize(TENTH, ROUND_HALF_EVEN)
    rounded_full = full.quantize(TENTH, ROUND_HALF_EVEN)
    if value < full and rounded >= rounded_full:
        rounded = rounded_full - TENTH
    if value > 0 and rounded < TENTH:
        rounded = TENTH
    return max(rounded, Decimal("0.0"))
