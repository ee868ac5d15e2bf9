"""The cohort's table: a line a submission, and no cell is evaluated."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from grader.records import Result
from grader.report import result_json, write_csv
from grader.report.escape import HIDDEN
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
