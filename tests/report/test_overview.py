"""The cohort's page: every submission, undecided ones apart, and what they have in common."""

from __future__ import annotations

import io
import json
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.records import Result
from grader.report import result_json, write_index
from grader.report.escape import HIDDEN
from grader.report.overview import SimilarGroup, outline, overview

MOST_HELD = 700
"""Bytes that the page may need for a row; whole in memory it took about 2,000."""


@pytest.fixture
def rows(usual: Result, undecided: Result, hostile: Result) -> list[dict[str, Any]]:
    def named(result: Result, identity: str) -> Result:
        return replace(result, submission=replace(result.submission, id=identity))

    return [
        result_json(named(result, identity))
        for result, identity in ((usual, "ada"), (undecided, "bob"), (hostile, "mallory"))
    ]


def _index(rows: list[dict[str, Any]], *more: Any) -> str:
    stream = io.StringIO()
    write_index(rows, more[0], stream, *more[1:])
    return stream.getvalue()


def _packed(html: str) -> dict[str, Any]:
    """The rows that the page's script reads."""
    found = re.search(r'<script type="application/json" id="rows">(.*?)</script>', html, re.DOTALL)
    assert found
    packed: dict[str, Any] = json.loads(found[1])
    return packed


def test_index_carries_everyone(rows: list[dict[str, Any]]) -> None:
    packed = _packed(_index(rows, "Spring round", {"Rubric": "Backprop"}))
    bob, mallory, ada = sorted(
        packed["rows"], key=lambda row: ("bob", "mallory", "ada").index(row[0])
    )
    assert ada[:5] == ["ada", "Ada Lovelace", "78.5 / 85", 92.35, 15.0]
    assert packed["bands"][ada[5]] == "Strong"
    assert [packed["codes"][code] for code in ada[7]] == [
        "relu-mask-not-strict",
        "batch-mean-missing",
        "cache-extra",
    ]
    assert ada[9] == "76" + "9" + "-", "a digit for each dimension, and a dash where no check ran"
    assert bob[2:4] == ["", -1]
    assert bob[10].startswith("The zygote for the PyTorch part died")
    assert mallory[11] == 1


def test_index_is_inert(rows: list[dict[str, Any]], hostile_text: str) -> None:
    rows[1]["fault"] = hostile_text
    html = _index(rows, hostile_text, {hostile_text: hostile_text})
    html.encode("utf-8")
    assert not HIDDEN.search(html)
    assert html.count("<script") == 2, "the page's own, and the rows, which are data"
    assert not {"<", ">", "&"} & set(
        html[html.index('id="rows">') + 10 :].partition("</script>")[0]
    )
    assert "<img" not in html
    page, _, _ = html.partition('<script type="application/json"')
    attributes = re.findall(r'\s([\w-]+)="[^"]*"', page)
    assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_empty_cohort_says_so() -> None:
    assert "There are no submissions." in _index([], "Nobody")


def test_overview_counts(rows: list[dict[str, Any]]) -> None:
    view = overview(rows)
    assert (view.graded, view.undecided, view.unisolated) == (2, 1, 1)
    assert view.rows[0].id == "bob"
    assert view.bins[9].count == 2
    assert {check.count for check in view.failing} == {2}
    assert [d.count for d in view.defects] == [2, 2, 2]
    assert [(d.title, d.counts) for d in view.dimensions] == [
        ("Correctness", (0, 0, 2, 0)),
        ("Numerical stability", (0, 2, 0, 0)),
        ("Shapes and broadcasting", (0, 0, 0, 2)),
    ]


def test_an_outline_gives_the_same_page(rows: list[dict[str, Any]]) -> None:
    assert _index([outline(row) for row in rows], "x") == _index(rows, "x")


def test_a_large_page_keeps_little_of_each_row(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    known, many = outline(rows[0]), 2_000
    documents = [
        known | {"submission": {"id": f"c{n:05}", "name": f"Some Name {n}"}, "score": n % 80 + 0.5}
        for n in range(many)
    ]
    _index(documents[:1], "warm")
    with (tmp_path / "index.html").open("w", encoding="utf-8") as stream:
        tracemalloc.start()
        try:
            write_index(documents, "x", stream)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most / many < MOST_HELD, f"{most / many:.0f} bytes a row"


def test_answers_built_alike_are_a_question(rows: list[dict[str, Any]]) -> None:
    html = _index(rows, "x", {}, [SimilarGroup(("ada", "mallory", "gone"), 0.957)])
    assert "Built alike?" in html
    assert "That is a question, not a finding" in html
    assert "<strong>95.7%</strong>" in html
    assert "Built alike?" not in _index(rows, "x")


def test_a_full_score_is_in_the_last_bin(rows: list[dict[str, Any]]) -> None:
    view = overview([rows[0] | {"score": 85.0}])
    assert [item.count for item in view.bins] == [0] * 9 + [1]
