"""The corrected lines on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.records import Charge, Correction, Result
from grader.report import render_report
from grader.report.corrections import MOST_LINES, corrections_view

SLIP = Correction("solution.py", 2, "def f(<b>)", "def f(<b>):", "punctuation")


def with_corrections(result: Result, *corrections: Correction) -> Result:
    grade = replace(result.grade, corrected=(Charge("syntax-error", 24.0),))
    return replace(result, grade=grade, corrections=corrections)


def test_a_line_goes_and_one_comes(usual: Result) -> None:
    view = corrections_view(with_corrections(usual, SLIP))
    [(_, where, rows)] = view.rows
    assert where == "solution.py:2"
    assert [(row.sign, row.number) for row in rows] == [("-", 2), ("+", None)]
    assert (view.cost, view.more) == (24.0, 0)


def test_many_lines_are_counted(usual: Result) -> None:
    slips = [replace(SLIP, line=n) for n in range(1, MOST_LINES + 4)]
    assert corrections_view(with_corrections(usual, *slips)).more == 3


@pytest.mark.parametrize("audience", ["interviewer", "candidate"])
def test_everybody_sees_what_was_corrected(usual: Result, audience: str) -> None:
    page = render_report(with_corrections(usual, SLIP), audience=audience)  # type: ignore[arg-type]
    assert "Graded with 1 line corrected" in page
    assert "costs 24 points" in page
    assert "<b>" not in page.partition('id="h-corrected"')[2].partition("</section>")[0]


def test_why_a_slip_was_left_is_said(usual: Result) -> None:
    page = render_report(replace(usual, uncorrected="it is <long>"), audience="interviewer")
    assert "A slip was not corrected: it is &lt;long&gt;." in page
    assert "Graded with" not in page
