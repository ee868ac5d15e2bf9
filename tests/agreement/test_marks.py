"""Marks are validated: each error names the file, the row and the column."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.agreement.marks import MOST_PROBLEMS, Opinion, PanelMarks, read_marks
from grader.errors import CallerError

BANDS = ("strong hire", "hire", "no hire")


def read(tmp_path: Path, text: str, bands: tuple[str, ...] = BANDS) -> PanelMarks:
    file = tmp_path / "marks.csv"
    file.write_text(text, "utf-8")
    return read_marks(file, bands)


def test_marks_bands_and_reasons(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        "id,marker,mark,band,why\nada,anna,90.5,,fine\nada,ben,, Strong  Hire,\nbob,ben,,,\n",
    )
    assert got.markers == ("anna", "ben")
    assert got.opinions == {
        "ada": {"anna": Opinion(90.5, None, "fine"), "ben": Opinion(None, 2, "")},
        "bob": {},
    }


@pytest.mark.parametrize(
    ("word", "band"), [("2", 2), ("0", 0), ("hire", 1), ("NO HIRE", 0), ("1.0", 1)]
)
def test_a_band_is_a_name_or_a_number_from_the_lowest(tmp_path: Path, word: str, band: int) -> None:
    got = read(tmp_path, f"id,band\nada,{word}\n")
    assert got.opinions["ada"]["1"].band == band


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("ada,101,", "row 2, column mark: '101' is above 100"),
        ("ada,-1,", "row 2, column mark: '-1' is below 0"),
        ("ada,nan,", "row 2, column mark: 'nan' is no finite number"),
        ("ada,x,", "row 2, column mark: 'x' is not a number"),
        ("ada,,3", "row 2, column band: '3' is not a band of the rubric; write 2 or strong hire"),
        (",5,", "row 2, column id: empty"),
        ("ada,1,\nada,2,", "row 3: a second mark of ada"),
        ("ada,,", "holds no mark and no band"),
    ],
)
def test_an_error_names_file_row_and_column(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(CallerError) as caught:
        read(tmp_path, f"id,mark,band\n{row}\n")
    assert words in str(caught.value)
    assert str(tmp_path / "marks.csv") in str(caught.value)


def test_an_unknown_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="row 2, column grade: not one of"):
        read(tmp_path, "id,mark,grade\nada,1,2\n")


def test_a_rubric_without_bands_has_none(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="the rubric has no bands"):
        read(tmp_path, "id,band\nada,hire\n", ())


def test_many_errors_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"s{n},x\n" for n in range(MOST_PROBLEMS + 5))
    with pytest.raises(CallerError, match="and 5 more problems"):
        read(tmp_path, f"id,mark\n{rows}")


def test_true_is_no_mark(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="not a number"):
        read(tmp_path, '{"ada": {"marks": [true]}}')
    with pytest.raises(CallerError, match="not a band"):
        read(tmp_path, '{"ada": {"bands": [true]}}')
