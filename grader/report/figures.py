"""Numbers as text. None rounds up: only a full score looks full."""

from __future__ import annotations

import math

from grader.scoring import display_percent, display_score


def score_of(score: float, max_score: float) -> str:
    """A total with what it is out of: `78.5 / 85`."""
    return f"{display_score(score, max_score).removesuffix('.0')} / {points(max_score)}"


def percent_of(score: float, max_score: float) -> str:
    """The total as a percentage: `92.4%`; "" when nothing is decided."""
    return f"{display_percent(score, max_score).removesuffix('.0')}%" if max_score > 0 else ""


def points(value: float) -> str:
    """A single item's points, without trailing zeros: 4, 2.5, 0.25."""
    return f"{_floor(value, 100):g}"


def share(part: float, whole: float) -> str:
    """`part` of `whole` as a bar's length in [0, 100]."""
    return f"{_floor(100 * min(1.0, max(0.0, part / whole)), 10):g}" if whole > 0 else "0"


def plural(count: int, one: str) -> str:
    """The count with its noun: `1 check`, `3 checks`."""
    return f"{count:,} {one if count == 1 else one + 's'}"


def _floor(value: float, steps: int) -> float:
    """`value` down to a whole number of 1/`steps`, forgiving the last bits of a sum."""
    return math.floor(round(value * steps, 6)) / steps
