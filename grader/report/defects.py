"""The defects of a `Result`, each with its place, its line and what it costs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from grader.records import Defect, Repair, Result, Severity
from grader.report.listing import highlighted, line_href, line_prefixes

HUNK = re.compile(r"@@ -(\d+)")
MAX_ROWS = 40
"""Of a diff; a repair is a few lines."""

SEVERITY_ORDER = (Severity.MAJOR, Severity.MINOR, Severity.INFO)


@dataclass(frozen=True, slots=True)
class DiffRow:
    """One line of a repair's diff. `sign` is "-", "+", " ", or "⋯" where lines are left out.

    A line that comes has no `number`.
    """

    sign: str
    number: int | None
    html: Markup


@dataclass(frozen=True, slots=True)
class DefectView:
    """A defect with its place on the page, and its source line highlighted.

    `cost` is what its code is charged, with the first defect of that code; None
    where it explains no failed check. `mend` are the lines of its repair, if it has one.
    """

    defect: Defect
    anchor: str
    cost: float | None
    href: str
    where: str
    lines: tuple[tuple[int | None, str], ...]
    mend: tuple[DiffRow, ...]


def by_severity(defects: Sequence[Defect]) -> list[Defect]:
    """Return the gravest first, otherwise as they were found."""
    return sorted(defects, key=lambda defect: SEVERITY_ORDER.index(defect.severity))


def defect_views(result: Result) -> tuple[DefectView, ...]:
    """Return the defects of `result`, the gravest first."""
    prefixes = line_prefixes(result.submission)
    charges = {charge.code: charge.points for charge in result.grade.charges}
    counts: dict[str, int] = {}
    views = []
    for defect in by_severity(result.defects):
        counts[defect.code] = count = counts.get(defect.code, 0) + 1
        anchor = f"defect-{defect.code}" + (f"-{count}" if count > 1 else "")
        href = line_href(prefixes, defect.file, defect.line)
        cost = charges.get(defect.code) if count == 1 else None
        details = _snippet(defect), _diff(defect.mend)
        views.append(DefectView(defect, anchor, cost, href, _where(defect), *details))
    return tuple(views)


def _where(defect: Defect) -> str:
    if defect.file is None:
        return ""
    if defect.line is None:
        return defect.file
    last = defect.end_line or defect.line
    span = f"{defect.line}–{last}" if last > defect.line else f"{defect.line}"
    return f"{defect.file}:{span}"


def _snippet(defect: Defect) -> tuple[tuple[int | None, str], ...]:
    if not defect.source:
        return ()
    lines = highlighted(defect.source.rstrip("\n"))
    first = defect.line
    return tuple((None if first is None else first + i, html) for i, html in enumerate(lines))


def _diff(mend: Repair | None) -> tuple[DiffRow, ...]:
    """Return the hunks of a unified diff, each old line with its number."""
    rows: list[DiffRow] = []
    number = 0
    for row in mend.diff.split("\n")[:MAX_ROWS] if mend else ():
        if head := HUNK.match(row):
            number = int(head[1])
            if rows:
                rows.append(DiffRow("⋯", None, Markup()))
            continue
        sign, text = row[:1] or " ", row[1:]
        html = Markup().join(highlighted(text))
        rows.append(DiffRow(sign, None if sign == "+" else number, html))
        number += sign != "+"
    return tuple(rows)
