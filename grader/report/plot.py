"""Curves on logarithmic axes, laid out for one small SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 380.0, 230.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 14.0, 20.0, 40.0
APART_X, APART_Y = 34.0, 17.0
"""How far two labels of an axis must stand apart, in the drawing's units."""

STOP = 9.0
"""What is not finite stands this far above the plane, where no number can be."""

LONGEST = 250.0
"""Decades beyond which a number is drawn at the edge: 1.12 times this is still a float."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a place on one axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class PlotLine:
    """One curve: a path, its points, and those that are not finite ("lost")."""

    tone: str
    path: str
    dots: tuple[tuple[float, float], ...]
    lost: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """One drawing; `legend` pairs a line's tone with its words."""

    id: str
    title: str
    caption: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[PlotLine, ...]
    legend: tuple[tuple[str, str], ...]
    guide: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Points that are drawn in one tone, and their label."""

    tone: str
    words: str
    points: Points


def plot(
    series: Sequence[Series],
    *,
    id: str,
    title: str,
    caption: str,
    axes: tuple[str, str],
    at: Sequence[float] = (),
    guide: float | None = None,
) -> Plot:
    """Return the drawing of `series`, whose x are positive; of y the size counts.

    `at` are the x that get a label, by default decades; `guide` is a y that gets a line.
    """
    xs = [x for one in series for x, _ in one.points]
    ys = [abs(y) for one in series for _, y in one.points if math.isfinite(y) and y != 0.0]
    ys += [guide] if guide is not None else []
    x_of, x_low, x_high = _axis(xs, LEFT, WIDTH - RIGHT)
    y_of, y_low, y_high = _axis(ys or [1.0], HEIGHT - BOTTOM, TOP)
    return Plot(
        id=id,
        title=title,
        caption=caption,
        x_label=axes[0],
        y_label=axes[1],
        x_ticks=tuple(_ticks(at or _round(x_low, x_high), x_of, APART_X)),
        y_ticks=tuple(_ticks(_round(y_low, y_high), y_of, APART_Y)),
        lines=tuple(_line(one, x_of, y_of, y_low) for one in series),
        legend=tuple((one.tone, one.words) for one in series),
        guide=None if guide is None else y_of(guide),
    )


Scale = Callable[[float], float]


def _axis(values: Sequence[float], start: float, end: float) -> tuple[Scale, float, float]:
    """Return a logarithmic scale from `start` to `end`, with some room at both ends."""
    low, high = _log(min(values)), _log(max(values))
    room = max(0.06 * (high - low), 0.15 if high - low < 0.3 else 0.0)
    low, high = low - room, high + room

    def scale(value: float) -> float:
        return round(start + (_log(value) - low) / (high - low) * (end - start), 1)

    return scale, 10**low, 10**high


def _log(value: float) -> float:
    """Return the decades of a positive number, within what a float can hold."""
    return min(LONGEST, max(-LONGEST, math.log10(value)))


def _round(low: float, high: float) -> list[float]:
    """Return round numbers within: decades, and 2 and 5 between them where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    parts = (1.0, 2.0, 5.0) if last - first <= 3 else (1.0,)
    every = [float(f"{part:g}e{decade}") for part in parts for decade in range(first, last + 1)]
    return [value for value in every if low <= value <= high]


def _ticks(values: Sequence[float], scale: Scale, apart: float) -> Iterator[Tick]:
    """Yield ticks, decades first, each label only where it has room."""
    labelled: list[float] = []
    for value in sorted(set(values), key=lambda v: (not math.log10(v).is_integer(), v)):
        at = scale(value)
        if all(abs(at - other) >= apart for other in labelled):
            labelled.append(at)
            yield Tick(at, _named(value))


def _named(value: float) -> str:
    if 1e-3 <= value < 1e5:
        return f"{value:g}"
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{power}" if mantissa == "1" else f"{mantissa}·10{power}"


def _line(one: Series, x_of: Scale, y_of: Scale, y_low: float) -> PlotLine:
    """Return a zero lies on the floor; the path breaks at what is not finite."""
    path, dots, lost, pen = "", [], [], "M"
    for x, y in sorted(one.points, key=lambda point: point[0]):
        if not math.isfinite(y):
            lost.append((x_of(x), TOP - STOP))
            pen = "M"
            continue
        spot = (x_of(x), y_of(max(abs(y), y_low)))
        dots.append(spot)
        path += f"{pen}{spot[0]:g} {spot[1]:g}"
        pen = "L"
    return PlotLine(one.tone, path, tuple(dict.fromkeys(dots)), tuple(lost))
