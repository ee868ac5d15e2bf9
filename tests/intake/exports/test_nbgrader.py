"""nbgrader's folders of students and assignments."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.intake import find_cohort
from tests.intake.exports.layouts import WAYS, Files, Lay, as_folder, graded
from tests.intake.test_find import FORWARD, notebook

NBGRADER: Files = {
    "submitted/bitdiddle/ps1/problem1.ipynb": notebook(FORWARD),
    "submitted/bitdiddle/ps1/timestamp.txt": "2026-02-02 15:58:23.948203 America/Los_Angeles",
    "submitted/hacker/ps1/problem1.ipynb": notebook(FORWARD),
    "submitted/hacker/ps1/timestamp.txt": "2026-02-02 15:58:23.948203 UTC",
    "source/ps1/problem1.ipynb": notebook(FORWARD),
    "gradebook.db": b"SQLite",
}


@pytest.mark.parametrize("lay", WAYS)
def test_nbgrader(lay: Lay, tmp_path: Path) -> None:
    assert graded(find_cohort(lay(tmp_path, NBGRADER))) == {
        "bitdiddle": ["problem1.py"], "hacker": ["problem1.py"],
    }  # fmt: skip


def test_nbgrader_by_the_folder_alone_and_with_two_assignments(tmp_path: Path) -> None:
    files = {**NBGRADER, "submitted/hacker/ps2/a.ipynb": notebook(FORWARD)}
    cohort = find_cohort(as_folder(tmp_path, files) / "submitted")
    assert cohort.layout == "nbgrader"
    assert list(graded(cohort)) == ["bitdiddle ps1", "hacker ps1", "hacker ps2"]


def test_one_stamp_among_wrapped_answers_is_no_nbgrader(tmp_path: Path) -> None:
    files: Files = {f"{name}/work/solution.py": FORWARD for name in ("alice", "bob", "carol")}
    cohort = find_cohort(as_folder(tmp_path, {**files, "bob/work/timestamp.txt": "now"}))
    assert cohort.layout == "plain"
    assert [entry.id for entry in cohort.entries] == ["alice", "bob", "carol"]
