"""`Result` → the dictionary of `result.json`, schema version 1."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import cache
from typing import Any

from grader import __version__
from grader.errors import HarnessError
from grader.records import CheckGrade, Defect, Grade, GraphNode, Result, SourceFile
from grader.report.escape import storable
from grader.report.listing import MAX_CHARACTERS, shown_files, source_text

SCHEMA_VERSION = 1


def result_json(result: Result) -> dict[str, Any]:
    """Plain data that `json.dumps(…, allow_nan=False)` takes and UTF-8 can hold.

    Raises `HarnessError` when a score is not finite: that is the grader's own
    bug, and a zero in its place would be charged to the candidate.
    """
    submission, grade = result.submission, result.grade
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
        },
        "sources": [_source(file) for file in shown_files(submission)],
        "answers": submission.answers[:MAX_CHARACTERS],
        "rubric": {
            "id": result.rubric_id,
            "title": result.rubric_title,
            "digest": result.rubric_digest,
        },
        "contract": dict(zip(("title", "digest"), result.contract, strict=True)),
        "status": grade.status.value,
        "fault": result.fault,
        **grade_json(grade),
        "defects": [_defect(defect) for defect in result.defects],
        "graph": [_node(node) for node in result.graph],
        "binding": {
            "numpy": result.observations.numpy.loaded.texts.get("binding", ""),
            "torch": result.observations.torch.loaded.texts.get("binding", ""),
        },
        "isolation": {
            "numpy": dict(result.observations.numpy.isolation),
            "torch": dict(result.observations.torch.isolation),
        },
        "timing": _timing(result.timing),
    }
    stored: dict[str, Any] = _stored(document)
    return stored


def json_text(document: Mapping[str, Any]) -> str:
    """The text of `result.json`: a line each member, for a reader, and no more for the machine.

    Raises `ValueError` for what JSON has no word for.
    """
    members = (
        f" {json.dumps(name)}: {json.dumps(value, allow_nan=False)}"
        for name, value in document.items()
    )
    return "{\n" + ",\n".join(members) + "\n}\n"


def grade_json(grade: Grade) -> dict[str, Any]:
    """What a result says of its grade: totals, parts, dimensions and the single checks."""
    return {
        "score": _finite(grade.score, "the score"),
        "max_score": _finite(grade.max_score, "the maximum score"),
        "open_points": _finite(grade.open_points, "the open points"),
        "band": grade.band,
        "gates": list(grade.gates),
        "charges": [
            {"code": charge.code, "points": _finite(charge.points, charge.code)}
            for charge in grade.charges
        ],
        "parts": [
            {
                "id": part.id,
                "title": part.title,
                "points": _finite(part.points, part.id),
                "max_points": _finite(part.max_points, part.id),
                "open_points": _finite(part.open_points, part.id),
            }
            for part in grade.parts
        ],
        "dimensions": [
            {
                "id": dimension.id,
                "title": dimension.title,
                "passed": dimension.passed,
                "total": dimension.total,
                "checks": list(dimension.checks),
                "groups": [_flat(g) | {"checks": list(g.checks)} for g in dimension.groups],
            }
            for dimension in grade.dimensions
        ],
        "checks": [_check(check) for check in grade.checks],
    }


def _source(file: SourceFile) -> dict[str, Any]:
    """A file as a reviewer reads it; longer ones up to the length that the report shows."""
    return {"path": file.path, "text": source_text(file)[:MAX_CHARACTERS]}


def _check(check: CheckGrade) -> dict[str, Any]:
    return {
        "id": check.id,
        "title": check.title,
        "part": check.part,
        "status": check.status.value,
        "points": _finite(check.points, check.id),
        "max_points": _finite(check.max_points, check.id),
        "message": check.message,
        "hint": check.hint,
        "explained_by": list(check.explained_by),
        "evidence": [_flat(line) | {"verdict": line.verdict.value} for line in check.evidence],
    }


def _defect(defect: Defect) -> dict[str, Any]:
    return asdict(defect) | {
        "severity": defect.severity.value,
        "confidence": defect.confidence.value,
        "tensors": list(defect.tensors),
    }


def _node(node: GraphNode) -> dict[str, Any]:
    return _flat(node) | {"status": node.status.value, "because": list(node.because)}


def _flat(record: Any) -> dict[str, Any]:
    """A record without records in it; `asdict` copies deeply, and there are hundreds of these."""
    return {name: getattr(record, name) for name in _names(record.__class__)}


@cache
def _names(kind: type) -> tuple[str, ...]:
    """The names of a record's fields that are written."""
    return tuple(f.name for f in fields(kind) if f.metadata.get("written", True))


def _timing(timing: Mapping[str, float]) -> dict[str, float | None]:
    """Seconds by name; a clock that gave no finite number is null."""
    measured = {"wall_s": 0.0, **timing}
    return {name: float(s) if math.isfinite(s) else None for name, s in measured.items()}


def _finite(points: float, what: str) -> float:
    if not math.isfinite(points):
        raise HarnessError(
            f"Scoring gave {points} for {what}, which is not a number of points. "
            "This is a bug in the grader; report it together with the rubric and the seed."
        )
    return float(points)


def _stored(value: Any) -> Any:
    """`value` with every text in it safe to encode."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): _stored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stored(item) for item in value]
    return value
