"""Defects made of their kinds."""

from __future__ import annotations

from dataclasses import replace

from grader.defects import BY_CODE
from grader.defects.clues import Lines, line_of
from grader.defects.kind import Kind
from grader.records import Confidence, Defect, Part, Severity, Where
from grader.source.program import Spot


def kind_of(defect: Defect) -> Kind:
    """Return the declaration of a defect's kind."""
    return BY_CODE[defect.code]


def make(
    code: str,
    message: str,
    tensors: tuple[str, ...] = (),
    confidence: Confidence = Confidence.PROVEN,
    part: Part | None = None,
) -> Defect:
    """Return a defect with its kind's severity and hint; `part` where it is not the kind's."""
    kind = BY_CODE[code]
    part = kind.part if part is None else part
    return Defect(code, kind.severity, message, kind.hint, tensors, confidence, part=part)


def in_layers(defect: Defect) -> Defect:
    """Return a defect as one of the reusable layers: an extra, so none is more than minor."""
    severity = Severity.MINOR if defect.severity is Severity.MAJOR else defect.severity
    return replace(defect, severity=severity, where=Where.LAYERS)


def at(defect: Defect, spot: Spot | None, lines: Lines) -> Defect:
    """Return a defect at a place; as it is where that is not known."""
    if spot is None:
        return defect
    source = line_of(spot, lines)
    return replace(defect, file=spot.file, line=spot.line, end_line=spot.end_line, source=source)
