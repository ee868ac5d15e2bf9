"""Moodle's folders and flat files."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.intake import find_cohort
from tests.intake.archives import packed
from tests.intake.exports.layouts import WAYS, Files, Lay, as_folder, marked, taken
from tests.intake.test_find import FORWARD

MOODLE: Files = {
    "Ada Lovelace_12_assignsubmission_file_/solution.py": FORWARD,
    "Ada Lovelace_12_assignsubmission_file_/utils.py": "x = 1\n",
    "Ada Lovelace_12_assignsubmission_onlinetext_/onlinetext.html": "<p>hi</p>",
    "Jos\xe9 O'Neil_13_assignsubmission_file_solution.py": marked("flat"),
    "Jos\xe9 O'Neil_13_assignsubmission_file_answers.md": "## Q1",
    "Wei Zhang_14_assignsubmission_file/hw.zip": packed([("solution.py", FORWARD.encode())]),
    "Participant_15_assignsubmission_onlinetext_onlinetext.html": "<p>I did it</p>",
}


@pytest.mark.parametrize("lay", WAYS)
def test_moodle(lay: Lay, tmp_path: Path) -> None:
    cohort = find_cohort(lay(tmp_path, MOODLE))
    assert cohort.layout == "Moodle"
    read = taken(cohort)
    assert set(read) == {"Ada Lovelace", "Jos\xe9 O'Neil", "Wei Zhang", "Participant"}
    assert [f.path for f in read["Ada Lovelace"].files] == ["solution.py", "utils.py"]
    assert any("online text" in p for p in read["Ada Lovelace"].passed_over)
    assert "flat" in read["Jos\xe9 O'Neil"].source
    assert read["Jos\xe9 O'Neil"].answers == "## Q1"
    assert read["Wei Zhang"].main == "solution.py"
    assert read["Participant"].main == ""
    assert "no Python file" in read["Participant"].unusable[0]


def test_one_odd_name_does_not_leave_the_others_out(tmp_path: Path) -> None:
    names = ("alice", "bob", "m_1_assignsubmission_file_")
    cohort = find_cohort(as_folder(tmp_path, {f"{n}/solution.py": marked(n) for n in names}))
    assert cohort.layout == "plain"
    assert set(taken(cohort)) == set(names)
    assert cohort.left_out == ()


def test_an_odd_name_among_many_is_left_out_by_name(tmp_path: Path) -> None:
    files: Files = {f"P_{n}_assignsubmission_file_/solution.py": FORWARD for n in range(9)}
    cohort = find_cohort(as_folder(tmp_path, {**files, "bob/solution.py": FORWARD}))
    assert (cohort.layout, len(cohort.entries)) == ("Moodle", 9)
    assert cohort.left_out == ("bob (not called like a submission)",)
