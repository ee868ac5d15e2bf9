"""Reading a stored result: a `result.json`, or the outline of one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeAlias, get_type_hints

from grader.records import (
    CheckStatus,
    Defect,
    GradeStatus,
    OwnVerdict,
    SourceFile,
    Submission,
)

Document: TypeAlias = Mapping[str, Any]
"""The members that `grader.report.document` writes."""

DEFECT_FIELDS = get_type_hints(Defect)


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


def own_verdict_of(document: Document) -> OwnVerdict | None:
    """Return what the answer's own verification said; None where an older result says nothing."""
    said = document.get("own_verdict")
    return None if said is None else OwnVerdict(said)


def _defect(facts: Document) -> Defect:
    return Defect(**{
        name: _value(kind, facts[name])
        for name, kind in DEFECT_FIELDS.items()
        if name in facts and name != "mend"
    })  # fmt: skip


def _value(kind: Any, value: Any) -> Any:
    """Return a field's value from JSON: enums from their words, tuples from lists."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return tuple(value) if isinstance(value, list) else value


def submission_of(document: Document) -> Submission:
    """Return the submission with the files that the report shows."""
    facts = document["submission"]
    files = tuple(
        SourceFile(source["path"], source["text"].encode("utf-8", "replace"))
        for source in document["sources"]
    )
    name, unread = name_of(document), tuple(facts.get("unread", ()))
    return Submission(facts["id"], name, facts["digest"], files, facts["main"], unread=unread)
