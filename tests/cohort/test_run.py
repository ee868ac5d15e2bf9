"""A run goes on past a fault of ours: that submission is undecided, the others are graded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from grader.cohort import Engine, run
from grader.cohort.run import Graded, grade_cohort
from grader.intake import find_submissions, take_in
from grader.records import Submission

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("broken", ["intake", "checks"])
def test_a_bug_of_ours_leaves_one_submission_undecided(
    broken: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "bob"):
        (tmp_path / "in" / name).mkdir(parents=True)
        shutil.copy(ROOT / "reference" / "solution.py", tmp_path / "in" / name)

    def failing_intake(path: Path, *, id: str, name: str) -> Submission:
        if id == "bob":
            raise ZeroDivisionError("ours")
        return take_in(path, id=id, name=name)

    observe = Engine._observe

    def failing_observe(self: Engine, submission: Submission) -> object:
        if submission.id == "bob":
            raise ZeroDivisionError("ours")
        return observe(self, submission)

    if broken == "intake":
        monkeypatch.setattr(run, "take_in", failing_intake)
    else:
        monkeypatch.setattr(Engine, "_observe", failing_observe)
    told: list[Graded] = []
    found = find_submissions(tmp_path / "in")
    graded = grade_cohort(engine, found, tmp_path / "out", "interviewer", jobs=2, tell=told.append)
    by_id = {g.id: g.document for g in graded}
    assert by_id["ada"]["score"] == 80.0
    assert by_id["bob"]["status"] == "undecided"
    assert by_id["bob"]["max_score"] == 0
    assert "ours" in by_id["bob"]["fault"]
    stored = json.loads((tmp_path / "out" / "submissions" / "bob" / "result.json").read_text())
    assert stored["status"] == "undecided"
    assert len(told) == 2
