"""Defects that only follow from another one are not named beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from grader.defects import Repeat, Within
from grader.defects.kind import Cover
from grader.defects.make import kind_of
from grader.records import Defect, Part

NUMPY_PARTS = (Part.FORWARD, Part.BACKWARD)


def without_consequences(defects: Iterable[Defect], *, late: bool) -> list[Defect]:
    """Return one defect a code and place, without what another that is named covers.

    A cause without a line inherits that of what it covers. `late`: the time was up before the
    calls that are compared with one another.
    """
    merged: dict[tuple[str, str | None, int | None], Defect] = {}
    for defect in defects:
        merged.setdefault((defect.code, defect.file, defect.line), defect)
    left = list(merged.values())
    for cause in left[:]:
        for cover in kind_of(cause).covers:
            if cover.lends_line:
                left = _replaced(left, cause, cover)
    left = [d for d in left if not any(_covered(d, cause, late=late) for cause in left)]
    causes = {d.code for d in left}
    return [d for d in left if not (d.part in kind_of(d).yields_in and causes - {d.code})]


def _replaced(left: list[Defect], cause: Defect, cover: Cover) -> list[Defect]:
    """The cause in the place of the bare error that it raises."""
    hidden = [d for d in left if d.code in cover.codes and _within(d, cause, cover.within)]
    if hidden and cause.line is None and cause in left:
        first = hidden[0]
        place = replace(
            cause, file=first.file, line=first.line, end_line=first.end_line, source=first.source
        )
        left = [place if d is cause else d for d in left]
    return [d for d in left if d not in hidden]


def _covered(defect: Defect, cause: Defect, *, late: bool) -> bool:
    kind = kind_of(defect)
    if kind.unexplained and kind_of(cause).repeat is Repeat.UNSTEADY:
        return _within(defect, cause, Within.SIDE)  # no single one of its answers is explained
    return any(
        defect.code in cover.codes
        and _within(defect, cause, cover.within)
        and (not cover.tensors or set(defect.tensors) <= set(cover.tensors))
        and (late or not cover.late)
        for cover in kind_of(cause).covers
    )


def _within(defect: Defect, cause: Defect, within: Within) -> bool:
    """Whether a defect stands where a cause may have consequences."""
    torch = cause.part is Part.PYTORCH
    if within is Within.PART:
        return defect.part is cause.part
    if within is Within.SIDE:
        return torch == (defect.part is Part.PYTORCH)
    return not (torch and defect.part in NUMPY_PARTS)
