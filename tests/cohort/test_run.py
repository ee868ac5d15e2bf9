"""A run goes on past a fault of ours, keeps what did not change, and loses nothing when killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from grader.cohort import Settings
from grader.cohort.run import Graded, grade_cohort, write_cohort
from grader.cohort.worker import Order
from grader.errors import CallerError
from grader.intake import find_cohort
from grader.records import Submission
from grader.rubric import Rubric

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def order(onsite: Rubric) -> Order:
    return Order(onsite, Settings(seed=1), "interviewer")


def handed_in(where: Path, *names: str) -> Path:
    """A folder with a copy of the reference for each name."""
    for name in names:
        (where / name).mkdir(parents=True)
        shutil.copy(ROOT / "reference" / "solution.py", where / name)
    return where


def test_a_submission_that_cannot_be_read_is_undecided_and_the_others_are_graded(
    order: Order, tmp_path: Path
) -> None:
    def failing() -> Submission:
        raise ZeroDivisionError("ours")

    ada, bob = find_cohort(handed_in(tmp_path / "in", "ada", "bob")).found
    broken = replace(bob, read=failing)
    told: list[Graded] = []
    graded = grade_cohort(order, [ada, broken], tmp_path / "out", jobs=2, tell=told.append)
    by_id = {g.id: g.document for g in graded}
    assert by_id["ada"]["score"] == 80.0
    assert by_id["bob"]["status"] == "undecided"
    assert by_id["bob"]["max_score"] == 0
    assert "ours" in by_id["bob"]["fault"]
    stored = json.loads((tmp_path / "out" / "submissions" / "bob" / "result.json").read_text())
    assert stored["status"] == "undecided"
    assert len(told) == 2


def test_a_second_run_keeps_what_did_not_change_and_starts_nothing(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_cohort(handed_in(tmp_path / "in", "ada", "bob")).found
    out = tmp_path / "out"
    grade_cohort(order, found, out, jobs=1, tell=lambda _: None)
    with (tmp_path / "in" / "bob" / "solution.py").open("a") as stream:
        stream.write("\n# one more thought\n")
    found = find_cohort(tmp_path / "in").found
    assert [g.kept for g in grade_cohort(order, found, out, jobs=1, tell=lambda _: None)] == [
        True,
        False,
    ]
    monkeypatch.setattr(subprocess, "Popen", None)
    graded = grade_cohort(order, found, out, jobs=1, tell=lambda _: None)
    assert [g.kept for g in graded] == [True, True]
    write_cohort(order, "both", graded, out)
    results = json.loads((out / "results.json").read_text())
    assert [r["submission"]["id"] for r in results["results"]] == ["ada", "bob"]
    assert results["seed"] == 1


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(order: Order, tmp_path: Path) -> None:
    found = find_cohort(handed_in(tmp_path / "in", "ada")).found
    (tmp_path / "out" / "submissions" / "ada" / "result.json").mkdir(parents=True)
    with pytest.raises(CallerError, match="cannot be written"):
        grade_cohort(order, found, tmp_path / "out", jobs=1, tell=lambda _: None)


def test_what_is_killed_is_taken_up_again_and_nothing_is_graded_twice(tmp_path: Path) -> None:
    names = [f"c{number:02}" for number in range(12)]
    folder, out = handed_in(tmp_path / "in", *names), tmp_path / "out"
    command = [sys.executable, "-m", "grader", "cohort", str(folder), "--out", str(out)]
    moments = random.Random(4)
    for _ in range(3):
        run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert run.stdout is not None
        run.stdout.readline()  # at least one is done
        time.sleep(moments.uniform(0.0, 0.3))
        os.kill(run.pid, signal.SIGKILL)
        run.communicate()
        stored = [json.loads(p.read_text()) for p in out.glob("submissions/*/result.json")]
        assert stored, "what was done is on disk, and whole"
        before = {p: p.stat().st_mtime_ns for p in out.glob("submissions/*/result.json")}
    subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    assert all(p.stat().st_mtime_ns == when for p, when in before.items())
    results = json.loads((out / "results.json").read_text())["results"]
    assert [r["submission"]["id"] for r in results] == names
    assert {r["score"] for r in results} == {80.0}
    assert not list(out.rglob("*.tmp"))
