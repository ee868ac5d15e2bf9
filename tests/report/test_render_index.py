"""The cohort's page and table: every submission, undecided ones apart, nothing evaluated."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from typing import Any

import pytest

from grader.records import Result
from grader.report import render_index, result_json, write_csv
from grader.report.escape import HIDDEN
from grader.report.overview import overview
from grader.report.table import cell


@pytest.fixture
def rows(usual: Result, undecided: Result, hostile: Result) -> list[dict[str, Any]]:
    def named(result: Result, identity: str) -> Result:
        return replace(result, submission=replace(result.submission, id=identity))

    return [
        result_json(named(result, identity))
        for result, identity in ((usual, "ada"), (undecided, "bob"), (hostile, "mallory"))
    ]


def _table(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    stream = io.StringIO()
    write_csv(rows, stream)
    return list(csv.DictReader(io.StringIO(stream.getvalue())))


def test_index_lists_and_links_everyone(rows: list[dict[str, Any]]) -> None:
    html = render_index(rows, "Spring round", {"Rubric": "Backprop"})
    for identity in ("ada", "bob", "mallory"):
        assert f'href="submissions/{identity}/report.html"' in html
    assert "78.5 / 85" in html
    assert "batch-mean-missing" in html
    assert '<tr class="undecided"' in html
    assert "The zygote for the PyTorch part died" in html


def test_index_is_inert(rows: list[dict[str, Any]], hostile_text: str) -> None:
    html = render_index(rows, hostile_text, {hostile_text: hostile_text})
    html.encode("utf-8")
    assert not HIDDEN.search(html)
    assert html.count("<script") == 1
    assert "<img" not in html
    attributes = re.findall(r'\s([\w-]+)="[^"]*"', html)
    assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_empty_cohort_says_so() -> None:
    assert "There are no submissions." in render_index([], "Nobody")


def test_overview_counts(rows: list[dict[str, Any]]) -> None:
    view = overview(rows)
    assert (view.graded, view.undecided, view.unisolated) == (2, 1, 1)
    assert view.rows[0].id == "bob"
    assert view.bins[9].count == 2
    assert {check.count for check in view.failing} == {2}


def test_a_full_score_is_in_the_last_bin(rows: list[dict[str, Any]]) -> None:
    view = overview([rows[0] | {"score": 85.0}])
    assert [item.count for item in view.bins] == [0] * 9 + [1]


def test_csv(rows: list[dict[str, Any]]) -> None:
    ada, bob, _ = _table(rows)
    fixed = ["id", "name", "status", "score", "max_score", "percent", "band"]
    assert list(ada) == [*fixed, "forward", "backward", "pytorch", "quality"]
    assert (ada["score"], ada["percent"], ada["backward"]) == ("78.5", "92.4", "28.5")
    assert (bob["status"], bob["score"], bob["percent"], bob["forward"]) == ("undecided", *[""] * 3)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert cell(f'{start}HYPERLINK("x")').startswith("'")


def test_hostile_cells_are_one_line_and_visible(
    rows: list[dict[str, Any]], hostile_text: str
) -> None:
    rows[2]["submission"]["name"] = "=cmd|' /C calc'!A0\r\n" + hostile_text
    stream = io.StringIO()
    write_csv(rows, stream)
    assert len(stream.getvalue().splitlines()) == 4
    assert not HIDDEN.search(stream.getvalue())
    assert _table(rows)[2]["name"].startswith("'=cmd")
