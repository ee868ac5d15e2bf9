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


def is_undecided(document: Document) -> bool:
    """Return whether the grader or the machine failed."""
    return bool(document["status"] == GradeStatus.UNDECIDED.value)


def is_unjudged(document: Document) -> bool:
    """Return whether the answer could not be called or read: no score, and no zero."""
    return bool(document["status"] == GradeStatus.UNJUDGED.value)


def why_unscored(document: Document) -> str:
    """Return why there is no score, in a sentence; "" where there is one."""
    if is_decided(document):
        return ""
    why = document.get("reason") if is_unjudged(document) else document.get("fault")
    return str(why or "")


def score_in(document: Document) -> float:
    """Return the score; 0 where there is none, so ask `is_decided` first."""
    return float(document["score"] or 0.0)


def name_of(document: Document) -> str:
    """Return the candidate's name, or the id when none was given."""
    submission = document["submission"]
    return str(submission.get("name") or submission["id"])


def fraction_of(document: Document) -> float | None:
    """Return the share of the decided points, in [0, 1]; None while that is not known."""
    most = float(document["max_score"])
    if not is_decided(document) or not most > 0:
        return None
    return min(1.0, max(0.0, score_in(document) / most))


def unjudged_parts(document: Document) -> list[Document]:
    """Return the parts of which a person has to judge everything; none in schema version 1."""
    parts: list[Document] = document.get("parts", [])
    return [
        p
        for p in parts
        if 0.0 < float(p.get("max_points") or 0) <= float(p.get("unjudged_points") or 0)
    ]


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
