"""The notes beside the source's lines: each tensor, its shape, and why it is wrong."""

from __future__ import annotations

from collections.abc import Mapping

from grader.records import Annotation, Result, Standing
from grader.report.defects import DefectView
from grader.report.listing import Beside, Value

WRONG = (Standing.WRONG, Standing.FOLLOWS)


def values_beside(result: Result, defects: Mapping[str, DefectView]) -> Beside:
    """Return the annotations by file and line, equal ones once; `defects` are by code."""
    by_place: dict[tuple[str, int], dict[Value, None]] = {}
    for annotation in result.annotations:
        line = by_place.setdefault((annotation.file, annotation.line), {})
        line.setdefault(_value(annotation, defects))
    return {place: tuple(values) for place, values in by_place.items()}


def _value(annotation: Annotation, defects: Mapping[str, DefectView]) -> Value:
    shape = annotation.shape.removeprefix("a ")
    plain = Value(annotation.right.value, annotation.tensor, shape)
    views = [defects[code] for code in annotation.because if code in defects]
    if annotation.right not in WRONG or not views:
        return plain
    first = views[0]
    if first.defect.line is None or first.defect.file is None or not first.href:
        why, href = first.defect.code, f"#{first.anchor}"
    elif _stands_here(annotation, first):
        return plain  # the defect's own note stands under the line
    else:
        why, href = f"line {first.defect.line}", first.href
    return Value(plain.standing, plain.tensor, plain.shape, why, href)


def _stands_here(annotation: Annotation, view: DefectView) -> bool:
    first = view.defect.line or 0
    last = max(first, view.defect.end_line or 0)
    return annotation.file == view.defect.file and first <= annotation.line <= last
