"""GitHub Classroom's clones."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.intake import find_cohort
from tests.intake.exports.layouts import WAYS, Files, Lay, as_folder, graded
from tests.intake.test_find import FORWARD

CLASSROOM: Files = {
    "backprop-ada-l/.git/HEAD": "ref: refs/heads/main\n",
    "backprop-ada-l/src/solution.py": FORWARD,
    "backprop-bob/.github/classroom/autograding.json": "{}",
    "backprop-bob/solution.py": FORWARD,
}


@pytest.mark.parametrize("lay", WAYS)
def test_github_classroom(lay: Lay, tmp_path: Path) -> None:
    cohort = find_cohort(lay(tmp_path, CLASSROOM))
    assert cohort.layout == "GitHub Classroom"
    assert set(graded(cohort)) == {"ada-l", "bob"}


def test_folders_that_merely_share_a_word_keep_their_names(tmp_path: Path) -> None:
    files: Files = {"group-a/solution.py": FORWARD, "group-b/solution.py": FORWARD}
    cohort = find_cohort(as_folder(tmp_path, files))
    assert (cohort.layout, set(graded(cohort))) == ("plain", {"group-a", "group-b"})
