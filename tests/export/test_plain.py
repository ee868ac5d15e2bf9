"""The table and the JSON hold the marks of humans and what the grader said alone."""

from __future__ import annotations

import json
from pathlib import Path

from grader.export import export
from grader.review import Folder
from tests.export.sheets import inert, rows_of


def test_the_table_has_the_marks_of_humans_in_its_scores(folder: Folder, tmp_path: Path) -> None:
    done = export(folder, "csv", tmp_path / "marks.csv")
    assert (done.written, done.count) == (tmp_path / "marks.csv", 4)
    head, *rows = rows_of(done.written)
    table = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert (table["ada"]["score"], table["ada"]["max_score"]) == ("81.5", "82.0")
    assert (table["ada"]["automatic_score"], table["ada"]["open_points"]) == ("80.0", "18.0")
    assert (table["ada"]["reviewers"], table["ada"]["marks_to_confirm"]) == ("'=Reviewer", "0")
    assert (table["una"]["score"], table["una"]["status"]) == ("", "undecided")
    assert all(inert(row) for row in (head, *rows))


def test_the_json_tells_apart_what_the_grader_and_what_humans_said(
    folder: Folder, tmp_path: Path
) -> None:
    done = export(folder, "json", tmp_path / "marks.json")
    results = json.loads(done.written.read_text("utf-8"))["results"]
    by_id = {r["submission"]["id"]: r for r in results}
    assert by_id["ada"]["score"] == 81.5
    assert by_id["ada"]["review"]["automatic"]["score"] == 80.0
    assert by_id["ada"]["review"]["comments"][0]["text"] == "<b>why</b>?"
    assert by_id["bob"].get("review", {"marks": []})["marks"] == []
