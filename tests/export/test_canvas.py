"""Canvas takes the scores, and no name of a candidate for anything else."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from grader.export import export
from grader.review import Folder
from tests.export.sheets import inert, rows_of


def canvas_import(text: str, students: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What Canvas takes from a file, as its importer was read: worth by title, score by user."""
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    head = rows[0]
    assert len(head) > 4
    assert "Student" in head[0]
    assert "ID" in head[1]
    assert re.search(r"SIS\s+User\s+ID", head[2])
    assert re.search(r"SIS\s+Login\s+ID", head[3])
    assert "Section" in head[4]
    worth, scores = {}, {}
    for row in rows[1:]:
        if "Points Possible" in row[0]:
            worth.update(dict(zip(head[5:], row[5:], strict=True)))
        elif row[1] in students:
            scores[students[row[1]]] = row[5]
    return worth, scores


def test_canvas_takes_the_scores_and_what_they_are_out_of(folder: Folder, tmp_path: Path) -> None:
    done = export(folder, "canvas", tmp_path / "c.csv", assignment="Backprop (77)")
    text = done.written.read_text("utf-8")
    students = {"101": "ada", "102": "bob", "103": "eve", "104": "una"}
    worth, scores = canvas_import(text, students)
    assert worth == {"Backprop (77)": "82.00"}, "a candidate's name sets no worth"
    assert scores["ada"] == "81.50"
    assert scores["una"] == "", "undecided is not zero"
    document = folder.reviewed("bob").document
    assert float(scores["bob"]) == pytest.approx(
        82 * document["score"] / document["max_score"], abs=0.01
    )
    assert done.left_out == ("una is undecided",)
    assert all(inert(row[:1]) or row[0].startswith("    Points") for row in rows_of(done.written))
    assert len({text.count(",") for _ in rows_of(done.written)}) == 1
