"""The marks as a drawing: the grader's against the panel's, laid out for one small SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.agreement.comparison import Compared

SIDE = 360.0
LEFT, TOP = 44.0, 10.0
"""The plane is a square of `SIDE` units; left of it and below it stand the labels."""

TICKS = (0, 20, 40, 60, 80, 100)
FAR = 15.0
"""Points between the two beyond which a dot is drawn as far off."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One submission; `low` and `high` are the x of the lowest and highest of the markers."""

    x: float
    y: float
    low: float
    high: float
    is_far: bool
    words: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """The drawing: its dots, and the places of the labels on both axes."""

    dots: tuple[Dot, ...]
    x_ticks: tuple[tuple[float, int], ...]
    y_ticks: tuple[tuple[float, int], ...]
    above: int
    below: int


def scatter(compared: Sequence[Compared]) -> Scatter:
    """Return a dot for each submission that the panel gave a mark."""
    marked = [one for one in compared if one.mark is not None]
    return Scatter(
        dots=tuple(_dot(one) for one in sorted(marked, key=lambda c: abs(c.gap))),
        x_ticks=tuple((_x(tick), tick) for tick in TICKS),
        y_ticks=tuple((_y(tick), tick) for tick in TICKS),
        above=sum(one.gap > FAR for one in marked),
        below=sum(one.gap < -FAR for one in marked),
    )


def _dot(one: Compared) -> Dot:
    mark = one.mark or 0.0
    return Dot(
        _x(mark),
        _y(one.percent),
        _x(min(one.marks)),
        _x(max(one.marks)),
        abs(one.gap) > FAR,
        f"{one.name}: grader {one.percent:.0f}, panel {mark:g}",
    )


def _x(value: float) -> float:
    return round(LEFT + value / 100 * SIDE, 1)


def _y(value: float) -> float:
    return round(TOP + (1 - value / 100) * SIDE, 1)
