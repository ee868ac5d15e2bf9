"""A result and what reviewers said about it → the result with their marks in it.

The points are those of `grader.scoring.grade`, on the same statuses but for the overridden
ones: one set of rules, whoever found what they are applied to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.records import CheckStatus, Confidence, Defect, Finding, Grade, Severity
from grader.report.document import grade_json
from grader.review.said import CHECK, COMMENT, MARK, found_checks, manual_items
from grader.review.store import Change
from grader.rubric import Rubric
from grader.scoring import grade

OTHER_VERSION = "The submission has changed since."


@dataclass(frozen=True, slots=True)
class Standing:
    """What is said of a field, and whether it counts; `why_not` says why it does not."""

    change: Change
    about: str
    value: dict[str, Any]
    why_not: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is in the total, or, of a comment, about this version of the line."""
        return not self.why_not


@dataclass(frozen=True, slots=True)
class _Declared:
    """What scoring asks of a check's declaration, as the result remembers it."""

    id: str
    title: str
    hint: str
    part: str


def standings(
    document: Mapping[str, Any], rubric: Rubric, changes: Mapping[str, Change]
) -> dict[str, Standing]:
    """By field, what reviewers say now. What was said of another version is kept, and waits.

    A judgement is about the bytes that were read: after a change it counts again as soon as
    somebody says that it still holds.
    """
    items = manual_items(rubric)
    checks = {check["id"] for check in found_checks(document, rubric)}
    found: dict[str, Standing] = {}
    for field, change in changes.items():
        if change.value is None:
            continue
        kind, _, about = field.partition("/")
        why = "" if change.digest == document["submission"]["digest"] else OTHER_VERSION
        if kind == MARK and about not in items:
            why = "The rubric has no such item any more."
        elif kind == MARK and items[about].points != change.value["of"]:
            now = items[about].points
            why = f"The item is worth {now:g} points now, not {change.value['of']:g}."
        elif kind == CHECK and about not in checks:
            why = "There is no such check any more."
        found[field] = Standing(change, about, change.value, why)
    return found


def marked(
    document: Mapping[str, Any], rubric: Rubric, said: Mapping[str, Standing]
) -> dict[str, Any]:
    """`document` as though the reviewers' statuses had been found, with their marks.

    The key `review` tells what they said and what the grader alone had found.
    """
    alone = {key: document[key] for key in ("status", "score", "max_score", "open_points", "band")}
    review = {"automatic": alone, **_told(said)}
    counting = [s for s in said.values() if s.counts and not _of(s, COMMENT)]
    if not counting:
        return {**document, "review": review}
    total = settled(document, rubric, counting)
    rest = {check["id"]: check for check in document["checks"]}
    told = {s.about: s for s in counting}
    fresh = grade_json(total)
    for check in fresh["checks"]:
        check["evidence"] = rest[check["id"]]["evidence"]
        if check["id"] in told:
            check["message"] = _message(told[check["id"]])
    return {**document, "status": total.status.value, **fresh, "review": review}


def settled(
    document: Mapping[str, Any], rubric: Rubric, counting: Sequence[Standing] = ()
) -> Grade:
    """The grade of a stored result, with those of the marks and overrides that count."""
    overrides = {s.about: CheckStatus(s.value["status"]) for s in counting if _of(s, CHECK)}
    marks = {s.about: float(s.value["points"]) for s in counting if _of(s, MARK)}
    checks = found_checks(document, rubric)
    findings = [
        Finding(c["id"], overrides.get(c["id"], CheckStatus(c["status"])), c["message"])
        for c in checks
    ]
    declared = {
        c["id"]: _Declared(c["id"], c.get("title", c["id"]), c.get("hint", ""), c["part"])
        for c in checks
    }
    return grade(
        rubric,
        findings,
        declared,
        defects=[_defect(defect) for defect in document["defects"]],
        explained={c["id"]: c["explained_by"] for c in checks},
        marks=marks,
    )


def _defect(defect: Mapping[str, Any]) -> Defect:
    """As far as scoring looks at it."""
    return Defect(
        defect["code"],
        Severity(defect["severity"]),
        defect["message"],
        defect["hint"],
        confidence=Confidence(defect["confidence"]),
    )


def _told(said: Mapping[str, Standing]) -> dict[str, Any]:
    """What reviewers said, kind by kind, as plain data."""
    rows: dict[str, list[dict[str, Any]]] = {MARK: [], CHECK: [], COMMENT: []}
    for field, standing in said.items():
        rows[field.partition("/")[0]].append(
            {
                "id": standing.about,
                **standing.value,
                "who": standing.change.who,
                "at": standing.change.at,
                "counts": standing.counts,
                "why_not": standing.why_not,
            }
        )
    return {"marks": rows[MARK], "overrides": rows[CHECK], "comments": rows[COMMENT]}


def _message(standing: Standing) -> str:
    words = standing.value.get("note") or standing.value.get("reason") or ""
    return f"A human says: {words}" if words else "A human marked this."


def _of(standing: Standing, kind: str) -> bool:
    return standing.change.field.startswith(f"{kind}/")
