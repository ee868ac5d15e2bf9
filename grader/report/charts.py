"""The error maps of a report, and its curves where one is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from grader.figures.maps import NOT_FINITE, WORST
from grader.problem.compare import FINITE_DIFFERENCE
from grader.records import Curve, ErrorMap, Pictures
from grader.report.graph import TITLES
from grader.report.plot import Plot, Series, plot

CELL = 15
"""Side of a map's cell, in pixels."""

LETTERS = {"W1": "D, H", "b1": "H", "W2": "H, C", "b2": "C", "X": "B, D"}

KEY = (
    (0, "within tolerance"),
    *((level, f"10⁻{WORST - level} of its size" if WORST - level > 1 else "a tenth")
      for level in range(1, WORST)),
    (WORST, "as large as the gradient"),
)  # fmt: skip

SAME = 1e-6
"""Two ratios are one below this: they agree to six digits, as `proportion` has them."""


@dataclass(frozen=True, slots=True)
class MapView:
    """One error map; `cells` pairs a level with a path of unit squares. Wide ones stand alone."""

    tensor: str
    shape: str
    words: str
    wrong: bool
    columns: int
    rows: int
    width: int
    height: int
    cells: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class MapRow:
    """The five maps of one part, on one case."""

    part: str
    title: str
    case: str
    maps: tuple[MapView, ...]


@dataclass(frozen=True, slots=True)
class Charts:
    """All drawings of a report, and the levels that occur in its maps."""

    rows: tuple[MapRow, ...]
    key: tuple[tuple[int, str], ...]
    plots: tuple[Plot, ...]

    @property
    def any(self) -> bool:
        return bool(self.rows or self.plots)


def charts(pictures: Pictures, *, interviewer: bool) -> Charts:
    """Return the drawings worth a look; the right loss's curve is for the interviewer only."""
    rows = tuple(_map_rows(pictures.maps))
    levels = {level for one in pictures.maps for level in one.levels}
    key = tuple((level, words) for level, words in KEY if level in levels)
    key += ((NOT_FINITE, "not finite"),) if NOT_FINITE in levels else ()
    plots = (
        *_ratio_plots(pictures.ratios),
        *_growth_plot(pictures.growth, interviewer=interviewer),
        *_step_plot(pictures.steps),
    )
    return Charts(rows, key, plots)


# ── error maps ───────────────────────────────────────────────────────────────


def _map_rows(maps: Sequence[ErrorMap]) -> Iterator[MapRow]:
    for part, title in TITLES.items():
        of_part = tuple(one for one in maps if one.part == part)
        if of_part:
            yield MapRow(part, title, of_part[0].case, tuple(_map_view(one) for one in of_part))


def _map_view(one: ErrorMap) -> MapView:
    rows, columns = one.shape if len(one.shape) == 2 else (1, *one.shape)
    return MapView(
        tensor=f"d{one.tensor}",
        shape=f"[{LETTERS[one.tensor]}]",
        words=one.pattern or "every entry is right",
        wrong=one.wrong,
        columns=columns,
        rows=rows,
        width=columns * CELL,
        height=rows * CELL,
        cells=tuple(_cells(one.levels, columns)),
    )


def _cells(levels: Sequence[int], columns: int) -> Iterator[tuple[int, str]]:
    """Yield one path for each level above 0; a run of equal neighbours is one rectangle."""
    paths: dict[int, str] = {}
    start = 0
    while start < len(levels):
        end, row = start + 1, start // columns
        while end < len(levels) and end // columns == row and levels[end] == levels[start]:
            end += 1
        if levels[start]:
            at = f"M{start % columns} {row}h{end - start}v1h-{end - start}z"
            paths[levels[start]] = paths.get(levels[start], "") + at
        start = end
    yield from sorted(paths.items())


# ── ratios over the batch size ───────────────────────────────────────────────

LAWS: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("equal to autograd’s", lambda B: 1.0),
    ("B × autograd’s", lambda B: B),
    ("autograd’s / B", lambda B: 1.0 / B),
    ("−1 × autograd’s", lambda B: -1.0),
    ("B² × autograd’s", lambda B: B * B),
)


def _ratio_plots(ratios: Sequence[Curve]) -> Iterator[Plot]:
    for part, title in TITLES.items():
        of_part = [curve for curve in ratios if curve.part == part]
        if any(abs(y - 1.0) > 1e-4 for curve in of_part for _, y in curve.points):
            groups = _grouped(of_part)
            words = [f"{', '.join(names)}: {_law(points)}" for names, points in groups]
            series = [
                Series(f"t{number}", label, points)
                for number, (label, (_, points)) in enumerate(zip(words, groups, strict=True), 1)
            ]
            yield plot(
                series,
                id=f"ratio-{part}",
                title=f"Ratio to autograd’s over the batch size · {title}",
                caption="",
                axes=("B", "ratio"),
                at=[x for one in series for x, _ in one.points],
                guide=1.0,
            )


Group = tuple[list[str], tuple[tuple[float, float], ...]]


def _grouped(curves: Sequence[Curve]) -> list[Group]:
    """Return curves that are the same as one, under all their names."""
    groups: list[Group] = []
    for curve in curves:
        for names, points in groups:
            if len(points) == len(curve.points) and all(
                abs(a[1] - b[1]) <= SAME * abs(b[1])
                for a, b in zip(points, curve.points, strict=True)
            ):
                names.append(curve.name)
                break
        else:
            groups.append(([curve.name], curve.points))
    return groups


def _law(points: Sequence[tuple[float, float]]) -> str:
    """Return how the ratio depends on B, where it does so in one of the known ways."""
    for words, law in LAWS:
        if all(abs(y - law(x)) <= 1e-4 * abs(law(x)) for x, y in points):
            return words
    low, high = min(y for _, y in points), max(y for _, y in points)
    return f"{low:.3g} to {high:.3g} × autograd’s" if high > low else f"{low:.3g} × autograd’s"


# ── the loss under growing logits, and central differences ───────────────────


def _growth_plot(curves: Sequence[Curve], *, interviewer: bool) -> Iterator[Plot]:
    """Yield only where the candidate's loss leaves the right one."""
    if len(curves) != 2:
        return
    candidate, right = curves
    known = dict(right.points)
    lost = [x for x, y in candidate.points if not math.isfinite(y)]
    off = [
        x for x, y in candidate.points if not abs(y - known[x]) <= 1e-6 * max(1.0, abs(known[x]))
    ]
    if not off:
        return
    caption = "The loss is not the right one, at any size of the logits."
    if lost:
        caption = f"From logits of {min(lost):.2g} on, the loss is no finite number."
    elif min(off) > min(known):
        caption = f"From logits of {min(off):.2g} on, the loss is not the right one."
    drawn = [Series("t1", "the candidate’s loss", candidate.points)]
    if interviewer:
        drawn.insert(0, Series("t0", "autograd’s loss", right.points))
    axes = ("largest |logit|", "loss")
    yield plot(drawn, id="growth", title="Loss under growing logits", caption=caption, axes=axes)


def _step_plot(curves: Sequence[Curve]) -> Iterator[Plot]:
    """Yield only where no step brings the difference down to where a right gradient lies."""
    for curve in curves:
        best = min((y for _, y in curve.points if math.isfinite(y)), default=math.inf)
        if best <= FINITE_DIFFERENCE:
            continue
        caption = (
            f"However small the step, the gradient stays {best:.2g} of its size away from the "
            "slope of the loss that forward returns: it is not that loss’s gradient."
        )
        if not math.isfinite(best):
            caption = "The loss gives no finite difference."
        drawn = [Series("t1", "|backward − central difference|, of its size", curve.points)]
        yield plot(
            drawn,
            id="step",
            title="Against finite differences of the own loss",
            caption=caption,
            axes=("step h", "difference"),
            guide=FINITE_DIFFERENCE,
        )
