"""What every format needs of a submission, and how a mark is scaled to what a system asks for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from grader.report.overview import is_decided, name_of
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


def fraction(document: Mapping[str, Any]) -> float | None:
    """The share of the decided points, in [0, 1]; None while that is not known."""
    most = float(document["max_score"])
    if not is_decided(document) or not most > 0:
        return None
    return min(1.0, max(0.0, float(document["score"]) / most))


def scaled(share: float, full: float) -> str:
    """`share` of `full` with two decimals, rounded down: only a full score looks full."""
    steps = 10**PLACES
    value = math.floor(round(share * full * steps, 6)) / steps
    return f"{value:.{PLACES}f}"


def identity(document: Mapping[str, Any]) -> tuple[str, str, str]:
    """The submission's id, the candidate's name, and what their system calls them by."""
    facts = document["submission"]
    return str(facts["id"]), name_of(document), str(facts.get("who") or "")


def feedback(reviewed: Reviewed) -> list[str]:
    """Lines for the candidate: what failed and why, and what a human said.

    They hold what the candidate's own page holds: no expected values, no mends, no names of
    reviewers.
    """
    document = reviewed.document
    lines = [str(gate) for gate in document.get("gates", ())]
    for defect in document["defects"]:
        where = f" ({defect['file']}:{defect['line']})" if defect.get("line") else ""
        lines.append(f"{defect['code']}{where}: {defect['message']}")
    for check in document["checks"]:
        if check["status"] == "fail" and not check["explained_by"]:
            lines.append(f"{check['title']}: {check['message']}")
    for mark in _counting(document, "marks"):
        title = _title(document, mark["id"])
        lines.append(f"{title}: {mark['points']:g} of {mark['of']:g}. {mark['note']}".rstrip(". "))
    for remark in _counting(document, "comments"):
        lines.append(f"{remark['file']}:{remark['line']}: {remark['text']}")
    return list(dict.fromkeys(lines))


def _counting(document: Mapping[str, Any], kind: str) -> Iterable[Mapping[str, Any]]:
    return (row for row in document.get("review", {}).get(kind, ()) if row["counts"])


def _title(document: Mapping[str, Any], id: str) -> str:
    return next((str(c["title"]) for c in document["checks"] if c["id"] == id), id)
