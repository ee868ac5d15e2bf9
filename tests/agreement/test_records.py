"""Both forms of CSV and of JSON give the same records; each problem has its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.agreement.records import MarkRecords, read_records
from grader.errors import CallerError


def read(tmp_path: Path, text: str, name: str = "marks.csv") -> MarkRecords:
    file = tmp_path / name
    file.write_text(text, "utf-8")
    return read_records(file)


def values(read: MarkRecords) -> list[dict[str, object]]:
    return [dict(record.values) for record in read.records]


def test_a_row_for_each_mark(tmp_path: Path) -> None:
    got = read(tmp_path, 'submission,marker,mark,band,why\nada,anna,90,hire,"so,\nso"\n')
    assert values(got) == [
        {"submission": "ada", "marker": "anna", "mark": "90", "band": "hire", "why": "so,\nso"}
    ]
    assert got.records[0].place == "row 2"


def test_a_column_for_each_marker(tmp_path: Path) -> None:
    got = read(
        tmp_path, "\ufeffID;anna;anna:band;ben;ben:why\nada;90;3;lean hire;slip\n\nbob;;;;\n"
    )
    assert values(got) == [
        {"submission": "ada", "marker": "anna", "mark": "90", "band": "3"},
        {"submission": "ada", "marker": "ben", "band": "lean hire", "why": "slip"},
    ]
    assert got.named == ("ada", "bob"), "whoever has no mark is named all the same"
    assert got.records[1].columns["band"] == "ben"


def test_lists_by_submission(tmp_path: Path) -> None:
    text = '{"ada": {"marks": [90, null], "bands": [4, "hire"], "why": ["a", "b"]}, "bob": {}}'
    got = read(tmp_path, text, "marks.json")
    assert values(got) == [
        {"submission": "ada", "marker": "1", "mark": 90, "band": 4, "why": "a"},
        {"submission": "ada", "marker": "2", "mark": None, "band": "hire", "why": "b"},
    ]
    assert got.records[1].columns["mark"] == "marks[1]"
    assert got.named == ("ada", "bob")


def test_a_list_of_marks(tmp_path: Path) -> None:
    got = read(tmp_path, '[{"id": "ada", "marker": "anna", "mark": 90}]', "marks.json")
    assert values(got) == [{"submission": "ada", "marker": "anna", "mark": 90}]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,a,A\nada,1,2\n", "row 1, column A: stands twice"),
        ("id,a\nada,1,2\n", "row 2: 3 cells, but 2 columns"),
        ('{"ada": {"marks": [1], "marks": [2]}}', "“marks” stands twice"),
        ('{"ada": {"marks": [1], "bands": [1, 2]}}', "“ada”: 1 marks, 2 bands"),
        ('{"ada": {"mark": [1]}}', "“ada”, mark: not one of marks, bands, why"),
        ('{"ada": 4}', "“ada”: write"),
        ("[4]", "entry 1: write"),
    ],
)
def test_a_problem_has_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert any(one.startswith(problem) for one in read(tmp_path, text).problems)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no column"),
        ("who,mark\nada,1\n", "row 1 names no column"),
        ('id,mark\nada,"1\n', "cannot be read as CSV"),
        ('{"ada": ', "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CallerError, match=words):
        read(tmp_path, text)


def test_what_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "marks.csv"
    file.write_bytes(b"id,mark\nad\xff,1\n")
    with pytest.raises(CallerError, match="not UTF-8"):
        read_records(file)
    with pytest.raises(CallerError, match="cannot be read"):
        read_records(tmp_path)
