"""csv, json, Canvas and Moodle: each read back by its own rules, and nothing in them runs."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from grader.errors import CallerError
from grader.export import FORMATS, export
from grader.export.entry import scaled
from grader.report.table import FORMULA_STARTS
from grader.review import Folder
from tests.export.conftest import GRADED

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


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, strict=True))


def inert(cells: list[str]) -> bool:
    """Whether a spreadsheet shows all of these as text or numbers, and nothing is hidden."""
    numbers = re.compile(r"-?\d+(\.\d+)?")
    texts = [cell for cell in cells if cell and not numbers.fullmatch(cell)]
    return all(
        not text.startswith(FORMULA_STARTS) and not re.search(r"[\x00-\x1f\u202e]", text)
        for text in texts
    )


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


# ── Canvas ───────────────────────────────────────────────────────────────────


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


# ── Moodle ───────────────────────────────────────────────────────────────────


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


@pytest.mark.parametrize(
    ("share", "full", "text"),
    [(1.0, 100, "100.00"), (0.99999, 100, "99.99"), (0.29, 100, "29.00"), (2 / 3, 10, "6.66")],
)
def test_only_a_full_score_looks_full_and_no_sums_dust_costs_a_hundredth(
    share: float, full: float, text: str
) -> None:
    assert scaled(share, full) == text


def test_a_format_that_is_none_is_answered_with_those_that_are(folder: Folder) -> None:
    with pytest.raises(CallerError, match="csv, json, gradescope, canvas, moodle, junit"):
        export(folder, "xls", None)
    assert len({f.output for f in FORMATS}) == len(FORMATS)
    assert set(GRADED) < set(folder.paths)
