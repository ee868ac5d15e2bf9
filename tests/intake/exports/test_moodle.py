"""Moodle's folders and flat files."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.intake import find_cohort
from tests.intake.archives import packed
from tests.intake.exports.layouts import WAYS, Files, Lay, marked, taken
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
