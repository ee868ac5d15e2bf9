"""The result with the marks of reviewers in it.

The points are those of `grader.scoring.grade`, on the same statuses but for the overridden
ones, so that one set of rules applies to both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.records import Charge, CheckStatus, Defect, Finding, Grade, GradeStatus
from grader.report.document import grade_json
from grader.report.stored import Document, defects_of, is_unjudged, own_verdict_of
from grader.review.forms import CHECK, COMMENT, MARK, TOTAL, found_checks, manual_items
from grader.review.store import Change
from grader.rubric import Rubric
from grader.scoring import Declaration, grade, with_score, without_score

OTHER_VERSION = "The submission has changed since."


@dataclass(frozen=True, slots=True)
class Judgement:
    """The last change of a field, and whether it counts; `why_not` says why it does not."""

    change: Change
    why_not: str = ""

    @property
    def value(self) -> dict[str, Any]:
        """Return what the reviewer entered."""
        return self.change.value or {}

    @property
    def counts(self) -> bool:
        """Return whether it is in the total, or, of a comment, about this version of the line."""
        return not self.why_not


def judgements(
    document: Document, rubric: Rubric, changes: Mapping[str, Change]
) -> dict[str, Judgement]:
    """Return by field what reviewers say now. What was said of another version waits.

    A judgement is about the bytes that were read: after a change it counts again as soon as
    somebody says that it still holds.
    """
    items = manual_items(rubric)
    checks = {check["id"] for check in found_checks(document, rubric)}
    by_field: dict[str, Judgement] = {}
    for field, change in changes.items():
        if change.value is None:
            continue
        why = "" if change.digest == document["submission"]["digest"] else OTHER_VERSION
        if change.kind == MARK and change.about not in items:
            why = "The rubric has no such item any more."
        elif change.kind == MARK and items[change.about].points != change.value["of"]:
            now = items[change.about].points
            why = f"The item is worth {now:g} points now, not {change.value['of']:g}."
        elif change.kind == TOTAL and not is_unjudged(document):
            why = "The grader gives it a score of its own now."
        elif change.kind == TOTAL and document["max_score"] != change.value["of"]:
            why = f"All is worth {document['max_score']:g} points now, not {change.value['of']:g}."
        elif change.kind == CHECK and change.about not in checks:
            why = "There is no such check any more."
        by_field[field] = Judgement(change, why)
    return by_field


def apply_judgements(
    document: Document, rubric: Rubric, judged: Mapping[str, Judgement]
) -> dict[str, Any]:
    """Return `document` as though the reviewers' statuses had been found, with their marks.

    The key `review` tells what they said and what the grader alone had found.
    """
    alone = {key: document[key] for key in ("status", "score", "max_score", "open_points", "band")}
    review = {"automatic": alone, **_as_data(judged)}
    counting = [j for j in judged.values() if j.counts and j.change.kind != COMMENT]
    if not counting:
        return {**document, "review": review}
    total = regrade(document, rubric, counting)
    earlier = {check["id"]: check for check in document["checks"]}
    by_id = {j.change.about: j for j in counting}
    fresh = grade_json(total)
    for check in fresh["checks"]:
        check["evidence"] = earlier[check["id"]]["evidence"]
        if check["id"] in by_id:
            check["message"] = _message(by_id[check["id"]])
    reason = document.get("reason") if total.status is GradeStatus.UNJUDGED else None
    status = {"status": total.status.value, "reason": reason}
    return {**document, **status, **fresh, "review": review}


def regrade(document: Document, rubric: Rubric, counting: Sequence[Judgement] = ()) -> Grade:
    """Return the grade of a stored result, with the marks and overrides that count.

    An unjudged answer has a score once a person gave one, or has said of each check how it is.
    """
    overrides = {
        j.change.about: CheckStatus(j.value["status"]) for j in counting if j.change.kind == CHECK
    }
    marks = {j.change.about: float(j.value["points"]) for j in counting if j.change.kind == MARK}
    checks = found_checks(document, rubric)
    findings = [
        Finding(c["id"], overrides.get(c["id"], CheckStatus(c["status"])), c["message"])
        for c in checks
    ]
    graded = grade(
        rubric,
        findings,
        {c["id"]: Declaration(c["id"], c["title"], c["hint"], c["part"]) for c in checks},
        defects=_graded_defects(document),
        explained={c["id"]: c["explained_by"] for c in checks},
        marks=marks,
        own_verdict=own_verdict_of(document),
        corrected=[Charge(c["code"], c["points"]) for c in document.get("corrected", ())],
    )
    if graded.status is not GradeStatus.GRADED or not is_unjudged(document):
        return graded
    given = next((float(j.value["points"]) for j in counting if j.change.kind == TOTAL), None)
    if given is not None:
        return with_score(rubric, graded, given + sum(marks.values()))
    return without_score(graded) if graded.unjudged else graded


def _graded_defects(document: Document) -> tuple[Defect, ...]:
    """Return the defects but for those that were corrected before grading: these are charged."""
    places = {(c["path"], c["line"]) for c in document.get("corrections", ())}
    codes = {c["code"] for c in document.get("corrected", ())}
    return tuple(
        d for d in defects_of(document) if d.code not in codes or (d.file, d.line) not in places
    )


def _as_data(judged: Mapping[str, Judgement]) -> dict[str, Any]:
    """Return what reviewers said, kind by kind, as plain data."""
    rows: dict[str, list[dict[str, Any]]] = {MARK: [], CHECK: [], COMMENT: [], TOTAL: []}
    for judgement in judged.values():
        change = judgement.change
        facts = {"who": change.who, "at": change.at, "counts": judgement.counts}
        rows[change.kind].append(
            {"id": change.about, **judgement.value, **facts, "why_not": judgement.why_not}
        )
    kinds = {"marks": MARK, "overrides": CHECK, "comments": COMMENT, "totals": TOTAL}
    return {name: rows[kind] for name, kind in kinds.items()}


def _message(judgement: Judgement) -> str:
    words = judgement.value.get("note") or judgement.value.get("reason") or ""
    return f"A human says: {words}" if words else "A human marked this."
