"""Where a valid rubric lets points go that its author may not mean to give."""

from __future__ import annotations

from collections.abc import Iterator

from grader.rubric.model import Factors, Item, Rubric

SIZES = ("own_check_differs", "further", "codes")
"""Fields of `Factors` that are no kind of mistake."""


def warnings(rubric: Rubric) -> Iterator[str]:
    """Yield a sentence for each place where no points can be lost, or fewer than it seems."""
    for part in rubric.parts:
        for item in part.items:
            yield from _of_item(item)
    given = rubric.deductions.model_fields_set
    if given and rubric.charge != "once_per_bug":
        yield "`deductions` count only with `charge: once_per_bug`; this rubric takes no notice."
    if rubric.charge == "once_per_bug":
        for severity in ("major", "minor"):
            if getattr(rubric.deductions, severity) == 0:
                yield f"A proven {severity} mistake costs nothing: `deductions.{severity}` is 0."
        free = sorted(code for code, points in rubric.deductions.codes.items() if points == 0)
        yield from (f"{code} costs nothing: `deductions.codes` gives it 0." for code in free)
    if rubric.charge == "by_centrality":
        kinds = [name for name in Factors.model_fields if name not in SIZES]
        free = [name for name in kinds if rubric.factors.of(name) == 1.0]
        yield from (f"A mistake costs nothing: `factors.{name}` is 1." for name in free)


def _of_item(item: Item) -> Iterator[str]:
    """Yield where failing a check of this item loses nothing."""
    if item.points == 0 and not item.manual:
        yield f"Item `{item.id}` is worth 0 points, so its checks cost nothing."
    if item.tiers:
        enough = next(t.passed for t in item.tiers if t.points == item.points)
        if enough < len(item.checks):
            failing = len(item.checks) - enough
            some = "one check fails" if failing == 1 else f"{failing} checks fail"
            yield f"Item `{item.id}` earns all its points when {some}."
