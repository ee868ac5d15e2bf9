"""What other rooms ask of a stored result: a `result.json`, or the outline of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeAlias

from grader.records import (
    CheckStatus,
    Confidence,
    Defect,
    GradeStatus,
    Severity,
    SourceFile,
    Submission,
)

Document: TypeAlias = Mapping[str, Any]
"""The members that `grader.report.document` writes."""

DEFECT_FIELDS = frozenset(field.name for field in fields(Defect))


def is_decided(document: Document) -> bool:
    """Return whether the score says something about the candidate."""
    return bool(document["status"] == GradeStatus.GRADED.value)


def name_of(document: Document) -> str:
    """Return the candidate's name, or the id when none was given."""
    submission = document["submission"]
    return str(submission.get("name") or submission["id"])


def fraction_of(document: Document) -> float | None:
    """Return the share of the decided points, in [0, 1]; None while that is not known."""
    most = float(document["max_score"])
    if not is_decided(document) or not most > 0:
        return None
    return min(1.0, max(0.0, float(document["score"]) / most))


def failed_checks(document: Document) -> list[Document]:
    """Return the checks that failed."""
    return [c for c in document["checks"] if c["status"] == CheckStatus.FAIL.value]


def is_unisolated(document: Document) -> bool:
    """Return whether a part of the submission ran unconfined."""
    return any("unisolated" in facts for facts in document["isolation"].values())


def defects_of(document: Document) -> tuple[Defect, ...]:
    """Return the defects as records, without their repairs."""
    return tuple(_defect(facts) for facts in document["defects"])


def _defect(facts: Document) -> Defect:
    known = {name: value for name, value in facts.items() if name in DEFECT_FIELDS}
    return Defect(
        **known
        | {
            "severity": Severity(facts["severity"]),
            "confidence": Confidence(facts["confidence"]),
            "tensors": tuple(facts["tensors"]),
            "mend": None,
        }
    )


def submission_of(document: Document) -> Submission:
    """Return the submission with the files that the report shows."""
    facts = document["submission"]
    files = tuple(
        SourceFile(source["path"], source["text"].encode("utf-8", "replace"))
        for source in document["sources"]
    )
    return Submission(facts["id"], name_of(document), facts["digest"], files, facts["main"])
