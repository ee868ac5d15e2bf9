"""The lines that were corrected before an answer was graded, as a diff."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from grader.records import Correction, Result
from grader.report.defects import DiffRow
from grader.report.listing import highlighted, line_href, line_prefixes

MOST_LINES = 20
"""Corrected lines on the page; a print of Python 2's may stand on many."""


@dataclass(frozen=True, slots=True)
class CorrectionsView:
    """`rows` are the diff of each place, with the way to its line; `more` lines are left out."""

    rows: tuple[tuple[str, str, tuple[DiffRow, ...]], ...]
    more: int
    cost: float
    uncorrected: str


def corrections_view(result: Result) -> CorrectionsView:
    """Return what was corrected in an answer, what that costs, and why nothing else was."""
    prefixes = line_prefixes(result.submission)
    shown = result.corrections[:MOST_LINES]
    return CorrectionsView(
        tuple((line_href(prefixes, c.path, c.line), f"{c.path}:{c.line}", _diff(c)) for c in shown),
        len(result.corrections) - len(shown),
        sum(charge.points for charge in result.grade.corrected),
        result.uncorrected,
    )


def _diff(correction: Correction) -> tuple[DiffRow, ...]:
    rows = ("-", correction.line, correction.before), ("+", None, correction.after)
    return tuple(DiffRow(sign, line, Markup().join(highlighted(text))) for sign, line, text in rows)
