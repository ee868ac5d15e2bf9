"""A dimension with rows is shown row by row; an answer stands beside the item it is on."""

from __future__ import annotations

from dataclasses import replace

from grader.records import (
    CheckGrade,
    CheckStatus,
    DimensionGrade,
    DimensionGroup,
    Grade,
    ItemGrade,
    PartGrade,
    Result,
    WrittenAnswer,
)
from grader.report import render_report

ROWS = (
    DimensionGroup("Silent broadcasting", 1, 2, ("forward.bias", "forward.gather")),
    DimensionGroup("The 1/B factor", 0, 0, ("layers.composed",)),
)


def graded(usual: Result) -> Grade:
    statuses = zip(
        ("forward.bias", "forward.gather", "layers.composed"),
        (CheckStatus.PASS, CheckStatus.FAIL, CheckStatus.MANUAL),
        strict=True,
    )
    checks = tuple(CheckGrade(id, id, "forward", s, 0.0, 0.0, "said") for id, s in statuses)
    dimension = DimensionGrade("pitfalls", "Pitfalls <b>", 1, 2, ("forward.bias",), ROWS)
    items = tuple(
        ItemGrade(
            f"q{n}", f"Q{n}", 0.0, 2.0, (), open=True, guidance=("makes this point",), question=n
        )
        for n in (1, 2)
    )
    part = PartGrade("followups", "Follow-ups", 0.0, 0.0, 4.0, items)
    return replace(usual.grade, checks=checks, dimensions=(dimension,), parts=(part,))


def test_a_dimension_without_rows_has_no_panel(usual: Result) -> None:
    grade = graded(usual)
    plain = replace(grade, dimensions=(replace(grade.dimensions[0], groups=()),))
    assert 'class="crosscut"' not in render_report(
        replace(usual, grade=plain), audience="interviewer"
    )


def test_the_panel_says_how_many_and_which(usual: Result) -> None:
    page = render_report(replace(usual, grade=graded(usual)), audience="interviewer")
    panel = page[page.index('class="crosscut"') :].partition("</table>")[0]
    assert "<strong>1</strong> of 2" in panel and "none ran" in panel
    assert 'class="pill fail" href="#check-forward.gather"' in panel
    assert "Pitfalls <b>" not in page


def test_an_answer_stands_beside_its_question_and_points(usual: Result) -> None:
    written = (WrittenAnswer(2, "", "It <i>cancels</i>.", "a text cell"),)
    submission = replace(usual.submission, written=written)
    page = render_report(
        replace(usual, grade=graded(usual), submission=submission), audience="interviewer"
    )
    section = page[page.index('<section id="open"') :].partition("</section>")[0]
    first, second = section.split('<span class="item-title">')[1:]
    assert "Nothing was written on this question." in first and "<blockquote" not in first
    assert "It &lt;i&gt;cancels&lt;/i&gt;." in second and "a text cell" in second
    assert "– / 2" in second, "open, and no zero"
    assert "makes this point" in second and "<details open>" in second


def test_a_candidate_sees_the_answer_without_the_points(usual: Result) -> None:
    written = (WrittenAnswer(1, "", "My own words.", "answers.md"),)
    submission = replace(usual.submission, written=written)
    page = render_report(
        replace(usual, grade=graded(usual), submission=submission), audience="candidate"
    )
    assert "My own words." in page and "makes this point" not in page
