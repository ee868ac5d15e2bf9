"""What a candidate is shown of a result: how it stands, and nothing of what is expected.

One copy of the result is made without it, and every page and file is written from that copy:
what is not in it can reach nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from grader.defects import KINDS
from grader.records import (
    CheckGrade,
    CheckStatus,
    Defect,
    Evidence,
    Grade,
    ItemGrade,
    PartGrade,
    ProcessReport,
    Result,
)

NUMERIC = {code for kind in KINDS if kind.faults for code in (kind.code, kind.in_pytorch)}
WORDS = {kind.code: kind.what for kind in KINDS if kind.code in NUMERIC or kind.unexplained}
"""What a defect is that numbers show: its message holds them, next to the expected ones."""


A_PERSON_LOOKS = "It has no score for that, and no zero: a person looks at it."


def for_candidate(result: Result) -> Result:
    """Return `result` without the seed, the band, expected values, repairs and the guidance."""
    observed, unjudged = result.observations, result.unjudged
    return replace(
        result,
        seed=None,
        unjudged=replace(unjudged, advice=A_PERSON_LOOKS, settings=()) if unjudged else None,
        grade=_grade(result.grade),
        defects=tuple(map(_defect, result.defects)),
        observations=replace(
            observed, numpy=_report(observed.numpy), torch=_report(observed.torch)
        ),
    )


def told_check(check: Mapping[str, Any]) -> str:
    """Return what a candidate is told of a stored check; see `_message`."""
    lines = [
        line for line in check.get("evidence", ()) if line["verdict"] != CheckStatus.PASS.value
    ]
    if check["status"] != CheckStatus.FAIL.value or not lines:
        return str(check["message"])
    return _told(str(lines[0]["what"]), str(lines[0]["observed"]), str(lines[0]["case"]))


def told_defect(defect: Mapping[str, Any]) -> str:
    """Return what a candidate is told of a stored defect."""
    return _words(str(defect["code"]), str(defect["message"]), tuple(defect["tensors"]))


def _grade(grade: Grade) -> Grade:
    checks = tuple(
        replace(check, message=_message(check), evidence=tuple(map(_line, check.evidence)))
        for check in grade.checks
    )
    return replace(grade, band=None, checks=checks, parts=tuple(map(_part, grade.parts)))


def _part(part: PartGrade) -> PartGrade:
    return replace(part, items=tuple(map(_item, part.items)))


def _item(item: ItemGrade) -> ItemGrade:
    return replace(item, guidance=())


def _message(check: CheckGrade) -> str:
    """Return the message, or the first line against a failed check in place of it.

    A line says what came; the message may also say what should have come.
    """
    against = [line for line in check.evidence if not line.good]
    if check.status is not CheckStatus.FAIL or not against:
        return check.message
    return _told(against[0].what, against[0].observed, against[0].case)


def _told(what: str, observed: str, case: str) -> str:
    where = f", on case {case}" if case else ""
    return f"{what}: {observed}{where}."


def _line(line: Evidence) -> Evidence:
    return replace(line, expected="", ratio="", numbers=())


def _defect(defect: Defect) -> Defect:
    words = _words(defect.code, defect.message, defect.tensors)
    return replace(defect, message=words, mend=None)


def _words(code: str, message: str, tensors: tuple[str, ...]) -> str:
    known = WORDS.get(code)
    if known is None:
        return message
    shown = ", ".join(f"d{tensor}" for tensor in tensors)
    return f"{known.rstrip('.')}: {shown}." if shown else known


def _report(report: ProcessReport) -> ProcessReport:
    """Return a report that says nothing of how it was confined, but for that it was not."""
    stamp = {k: v for k, v in report.isolation.items() if k == "unisolated"}
    return replace(report, isolation=stamp)
