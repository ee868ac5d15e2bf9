"""The drawings: only what is off is drawn, and nothing secret for candidates."""

from __future__ import annotations

from grader.records import Curve, Pictures, Result
from grader.report import render_report
from grader.report.charts import _cells, charts
from tests.report.drawn import ALL, MASK, RIGHT


def test_a_path_for_each_level_with_runs_as_one() -> None:
    paths = dict(_cells(MASK.levels, 3))
    assert paths == {4: "M1 0h2v1h-2z", 5: "M2 1h1v1h-1z", 9: "M1 1h1v1h-1z"}


def test_what_is_right_is_not_drawn() -> None:
    right = Curve("numpy", "loss", RIGHT.points)
    straight = (Curve("numpy", "dW1", ((1.0, 1.0), (5.0, 1.0))),)
    fine = (Curve("numpy", "difference", ((1e-2, 0.1), (1e-5, 1e-9), (1e-10, 1e-6))),)
    assert not charts(Pictures((), straight, (right, RIGHT), fine), interviewer=True).any
    assert not charts(Pictures(), interviewer=True).any


def test_curves_of_one_kind_are_one_line_with_its_law() -> None:
    (ratio, *_) = charts(ALL, interviewer=True).plots
    assert [words for _, words in ratio.legend] == [
        "loss: equal to autograd’s",
        "dW1, db1: autograd’s / B",
    ]


def test_where_the_loss_stops_being_a_number_is_said_and_marked() -> None:
    growth = next(p for p in charts(ALL, interviewer=True).plots if p.id == "growth")
    assert growth.caption == "From logits of 1e+02 on, the loss is no finite number."
    assert [len(line.lost) for line in growth.lines] == [0, 2]


def test_the_right_loss_is_for_interviewers_only(pictured: Result) -> None:
    assert "autograd’s loss" in render_report(pictured, audience="interviewer")
    page = render_report(pictured, audience="candidate")
    assert "autograd’s loss" not in page
    assert 'id="plot-growth"' in page


def test_every_picture_is_said_in_words(pictured: Result) -> None:
    html = render_report(pictured, audience="candidate")
    for said in (
        "Error map of dW2: 5 of 6 entries",
        "dW1, db1: autograd’s / B",
        "no finite number",
    ):
        assert said in html
