"""What every format needs of a submission, and how a mark is scaled to what a system asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from grader.report.audience import told_check, told_defect
from grader.report.numbers import round_down
from grader.report.stored import Document, failed_checks, name_of, why_unscored
from grader.review import Folder, Reviewed

PLACES = 2
"""Decimals of a mark, as gradebooks show them."""


@dataclass(frozen=True, slots=True)
class Job:
    """One export: the results, where it goes, and what the format's own options say."""

    folder: Folder
    output: Path
    worksheet: Path | None = None
    assignment: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What was written, in a sentence each, and who was left out and why."""

    written: Path
    count: int
    left_out: tuple[str, ...] = ()


Writer: TypeAlias = Callable[[Job], Done]


def scaled(share: float, full: float) -> str:
    """Return `share` of `full` with two decimals, rounded down: only a full score looks full."""
    return f"{round_down(share * full, 10**PLACES):.{PLACES}f}"


def identity(document: Document) -> tuple[str, str, str]:
    """Return the submission's id, the candidate's name, and what their system calls them by."""
    facts = document["submission"]
    return str(facts["id"]), name_of(document), str(facts.get("who") or "")


def people(document: Document) -> list[tuple[str, str]]:
    """Return the name of each candidate of a submission, and what their system calls them by.

    An export of a group has several in one; each has a row of their own in a gradebook.
    """
    _, name, who = identity(document)
    called = who.split()
    if len(called) < 2:
        return [(name, who)]
    names = name.split(", ")
    known = names if len(names) == len(called) else [name] * len(called)
    return list(zip(known, called, strict=True))


def unscored(id: str, document: Document) -> str:
    """Return that a submission has no score to be exported; of an unjudged one, why."""
    reason = document.get("reason")
    return f"{id} is {document['status']}" + (f": {reason}" if reason else "")


def feedback(reviewed: Reviewed) -> list[str]:
    """Return lines for the candidate: what failed and why, and what a human said.

    They hold what the candidate's own page holds: no expected values, no repairs, no names of
    reviewers.
    """
    document = reviewed.document
    lines = [why] if (why := why_unscored(document)) else []
    lines += [str(gate) for gate in document["gates"]]
    for defect in document["defects"]:
        where = f" ({defect['file']}:{defect['line']})" if defect.get("line") else ""
        lines.append(f"{defect['code']}{where}: {told_defect(defect)}")
    for check in failed_checks(document):
        if not check["explained_by"]:
            lines.append(f"{check['title']}: {told_check(check)}")
    titles = {check["id"]: check["title"] for check in document["checks"]}
    for mark in (*counting(document, "totals"), *counting(document, "marks")):
        title = titles.get(mark["id"], str(mark["id"]).capitalize())
        lines.append(f"{title}: {mark['points']:g} of {mark['of']:g}. {mark['note']}".rstrip(". "))
    for remark in counting(document, "comments"):
        lines.append(f"{remark['file']}:{remark['line']}: {remark['text']}")
    return list(dict.fromkeys(lines))


def counting(document: Document, kind: str) -> Iterable[Document]:
    """Return the rows of the review of one kind that count."""
    return (row for row in document.get("review", {}).get(kind, ()) if row["counts"])
