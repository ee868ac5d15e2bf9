"""Moodle's worksheet gets grade and feedback, and stays what it was."""

from __future__ import annotations

import csv
import html
import io
import re
from pathlib import Path
from typing import Any

import pytest

from grader.errors import CallerError
from grader.export import export
from grader.review import Folder
from tests.export.sheets import inert

HEAD = [
    "Identifier",
    "Full name",
    "ID number",
    "Email address",
    "Status",
    "Group",
    "Marker",
    "Grade",
    "Maximum grade",
    "Marking workflow state",
    "Grade can be changed",
    "Last modified (submission)",
    "Last modified (grade)",
    "Feedback comments",
]


def worksheet(path: Path, *rows: dict[str, str], comma: bool = False, mark: str = "") -> Path:
    """A worksheet as Moodle writes it, with every cell filled by something of its own."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(mark)
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(HEAD)
        for number, row in enumerate(rows):
            filled = {name: f"{name} of {number}" for name in HEAD} | {
                "Grade": "", "Maximum grade": "100,00" if comma else "100.00",
                "Grade can be changed": "Yes", "Feedback comments": "",
            } | row  # fmt: skip
            writer.writerow([filled[name] for name in HEAD])
    return path


def filled_in(folder: Folder, sheet: Path, where: Path) -> tuple[list[dict[str, str]], Any]:
    done = export(folder, "moodle", where, worksheet=sheet)
    text = where.read_text("utf-8").removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True)), done


def test_moodles_worksheet_gets_grade_and_feedback_and_stays_what_it_was(
    folder: Folder, tmp_path: Path
) -> None:
    ids = ({"Identifier": f"Participant {n}"} for n in (103, 101, 104, 999))
    sheet = worksheet(tmp_path / "w.csv", *ids, mark="\ufeff")
    rows, done = filled_in(folder, sheet, tmp_path / "filled.csv")
    assert (tmp_path / "filled.csv").read_text("utf-8").startswith("\ufeff")
    before = list(csv.DictReader(io.StringIO(sheet.read_text("utf-8").removeprefix("\ufeff"))))
    ours = {"Grade", "Feedback comments"}
    for old, new in zip(before, rows, strict=True):
        assert {k: v for k, v in old.items() if k not in ours} == {
            k: v for k, v in new.items() if k not in ours
        }
    eve, ada, una, stranger = rows
    assert ada["Grade"] == "99.39", "81.5 of 82, rounded down"
    assert float(eve["Grade"]) <= 100
    assert (una["Grade"], una["Feedback comments"]) == ("", "")
    assert (stranger["Grade"], stranger["Feedback comments"]) == ("", "")
    assert done.left_out == (
        "una is undecided, so its grade stays as it was",
        "bob is not in the worksheet",
    )


def test_feedback_is_html_in_which_nothing_of_the_candidates_is(
    folder: Folder, tmp_path: Path
) -> None:
    sheet = worksheet(tmp_path / "w.csv", {"Identifier": "Participant 103"})
    rows, _ = filled_in(folder, sheet, tmp_path / "filled.csv")
    comments = rows[0]["Feedback comments"]
    tags = set(re.findall(r"<[^>]*>", comments))
    assert tags == {"<br>"}
    assert "<script>" in html.unescape(comments)
    assert inert([comments])
    assert "=Reviewer" not in comments, "who marked is nobody's business there"


@pytest.mark.parametrize(
    ("row", "grade"),
    [
        ({"Identifier": "Participant 101"}, "99,39"),
        ({"Identifier": "Teilnehmer/in 101"}, "99,39"),
        ({"Identifier": "Participant 101", "Grade can be changed": "No", "Grade": "7"}, "7"),
        ({"Identifier": "Participant 101", "Maximum grade": "Good"}, ""),
        ({"Identifier": "Participant 9", "Full name": "Ada Okafor"}, ""),
    ],
)
def test_grades_are_written_as_the_site_reads_them_or_not_at_all(
    folder: Folder, tmp_path: Path, row: dict[str, str], grade: str
) -> None:
    sheet = worksheet(tmp_path / "w.csv", row, comma=True)
    rows, _ = filled_in(folder, sheet, tmp_path / "filled.csv")
    assert rows[0]["Grade"] == grade


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe", b'"open'])
def test_what_is_no_worksheet_is_refused_in_words(
    folder: Folder, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "w.csv").write_bytes(content)
    with pytest.raises(CallerError, match=r"w\.csv"):
        export(folder, "moodle", tmp_path / "f.csv", worksheet=tmp_path / "w.csv")
    with pytest.raises(CallerError, match="--worksheet"):
        export(folder, "moodle", None)
