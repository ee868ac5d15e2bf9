"""The dictionary of `result.json`, schema version 1, from a `Result`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

from grader import __version__
from grader.errors import HarnessError
from grader.records import CheckGrade, Grade, GradeStatus, PartGrade, Result
from grader.report.escape import storable
from grader.report.listing import MAX_CHARACTERS, shown_files, source_text

SCHEMA_VERSION = 2


def result_json(result: Result) -> dict[str, Any]:
    """Return plain data that `json.dumps(…, allow_nan=False)` takes and UTF-8 can hold.

    Raises `HarnessError` when a score is not finite: that is the grader's own
    bug, and a zero in its place would be charged to the candidate.
    """
    submission, observations = result.submission, result.observations
    parts = {"numpy": observations.numpy, "torch": observations.torch}
    document = {
        "schema_version": SCHEMA_VERSION,
        "grader_version": __version__,
        "seed": result.seed,
        "submission": {
            "id": submission.id,
            "name": submission.name,
            "digest": submission.digest,
            "files": [file.path for file in submission.files],
            "main": submission.main,
            "who": submission.who,
            "left_out": submission.left_out,
            "unread": submission.unread,
        },
        "sources": [
            {"path": file.path, "text": source_text(file)[:MAX_CHARACTERS]}
            for file in shown_files(submission)
        ],
        "answers": submission.answers[:MAX_CHARACTERS],
        "rubric": {
            "id": result.rubric_id,
            "title": result.rubric_title,
            "digest": result.rubric_digest,
        },
        "contract": dict(zip(("title", "digest"), result.contract, strict=True)),
        "status": result.grade.status,
        "fault": result.fault,
        "own_verdict": result.own_verdict,
        "own_mismatch": result.own_mismatch,
        "reason": result.unjudged.sentence if result.unjudged else None,
        "unjudged": result.unjudged,
        **_grade(result.grade),
        "defects": result.defects,
        "corrections": result.corrections,
        "uncorrected": result.uncorrected,
        "graph": result.graph,
        "binding": {part: report.binding for part, report in parts.items()},
        "isolation": {part: report.isolation for part, report in parts.items()},
        "timing": _timing(result.timing),
    }
    plain: dict[str, Any] = _plain(document)
    return plain


def json_text(document: Mapping[str, Any]) -> str:
    """Return the text of `result.json`, with one line for each member.

    Raises `ValueError` for what JSON has no word for.
    """
    members = (
        f" {json.dumps(name)}: {json.dumps(value, allow_nan=False)}"
        for name, value in document.items()
    )
    return "{\n" + ",\n".join(members) + "\n}\n"


def grade_json(grade: Grade) -> dict[str, Any]:
    """Return what a result says of its grade: totals, parts, dimensions and the single checks.

    Raises `HarnessError` when a score is not finite.
    """
    plain: dict[str, Any] = _plain(_grade(grade))
    return plain


def _grade(grade: Grade) -> dict[str, Any]:
    charges = [(charge.code, charge.points) for charge in grade.charges]
    scored: list[PartGrade | CheckGrade] = [*grade.parts, *grade.checks]
    rows = [(row.id, points) for row in scored for points in (row.points, row.max_points)]
    charges += [(f"the slip {charge.code}", charge.points) for charge in grade.corrected]
    sums = ("the score", grade.score), ("the maximum score", grade.max_score)
    for what, points in (*sums, ("the open points", grade.open_points), *charges, *rows):
        if not math.isfinite(points):
            raise HarnessError(
                f"Scoring gave {points} for {what}, which is not a number of points. "
                "This is a bug in the grader; report it together with the rubric and the seed."
            )
    part_members = ("id", "title", "points", "max_points", "open_points")
    totals = _members(grade, ("score", "max_score", "open_points", "band", "gates", "mistakes"))
    if grade.status is GradeStatus.UNJUDGED:
        totals["score"] = None  # a number would be read as a mark
    return {
        **totals,
        "charges": grade.charges,
        "corrected": grade.corrected,
        "parts": [
            _members(part, part_members) | {"unjudged_points": grade.unjudged_in(part)}
            for part in grade.parts
        ],
        **_members(grade, ("dimensions", "checks")),
    }


def _members(record: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


def _timing(timing: Mapping[str, float]) -> dict[str, float | None]:
    """Return seconds by name; a clock that gave no finite number is null."""
    measured = {"wall_s": 0.0, **timing}
    return {name: float(s) if math.isfinite(s) else None for name, s in measured.items()}


def _plain(value: Any) -> Any:
    """Return `value` as JSON has it: records as objects, enums as words, texts safe to encode."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if names := _field_names(value.__class__):
        return {name: _plain(getattr(value, name)) for name in names}
    return value


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    """Return the names of a record's written fields; none for what is no record."""
    known = fields(kind) if is_dataclass(kind) else ()
    return tuple(field.name for field in known if field.metadata.get("written", True))
