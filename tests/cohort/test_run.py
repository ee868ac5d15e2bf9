"""A run goes on past a fault of ours, keeps what did not change, and loses nothing when killed."""

from __future__ import annotations

import gc
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from grader.cohort import Settings
from grader.cohort.crew import Crew
from grader.cohort.outcomes import Graded
from grader.cohort.run import grade_cohort, write_cohort
from grader.cohort.store import REUSE_KEY
from grader.cohort.worker import Order
from grader.errors import CallerError
from grader.intake import CohortEntry, Handed, find_cohort
from grader.rubric import Rubric

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

MOST_HELD = 100
"""Bytes that a run may hold for each answer that is done; its outline alone has some 2,000."""


@pytest.fixture(scope="module")
def order(onsite: Rubric) -> Order:
    return Order(onsite, Settings(seed=1), "interviewer")


@pytest.fixture(scope="module")
def crew(order: Order) -> Iterator[AbstractContextManager[Crew]]:
    """One warm worker for all runs of this file; a run that ends does not end it."""
    with Crew(order, 1) as warm:
        yield nullcontext(warm)


def handed_in(where: Path, *names: str) -> Path:
    """A folder with a copy of the reference for each name."""
    for name in names:
        (where / name).mkdir(parents=True)
        shutil.copy(ROOT / "reference" / "solution.py", where / name)
    return where


def test_a_submission_that_cannot_be_read_is_undecided_and_the_others_are_graded(
    order: Order, crew: AbstractContextManager[Crew], tmp_path: Path
) -> None:
    def failing() -> Handed:
        raise ZeroDivisionError("ours")

    ada, bob = find_cohort(handed_in(tmp_path / "in", "ada", "bob")).entries
    broken = replace(bob, collect=failing)
    told: list[Graded] = []
    graded = grade_cohort(
        order, [ada, broken], tmp_path / "out", jobs=1, workforce=crew, tell=told.append
    )
    by_id = {g.id: g.document for g in graded}
    assert by_id["ada"]["score"] == 80.0
    assert by_id["bob"]["status"] == "undecided"
    assert by_id["bob"]["max_score"] == 0
    assert "ours" in by_id["bob"]["fault"]
    stored = json.loads((tmp_path / "out" / "submissions" / "bob" / "result.json").read_text())
    assert stored["status"] == "undecided"
    assert len(told) == 2


def test_a_second_run_keeps_what_did_not_change_and_starts_nothing(
    order: Order,
    crew: AbstractContextManager[Crew],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def kept(found: Sequence[CohortEntry], **more: Any) -> list[bool]:
        graded = grade_cohort(order, found, out, jobs=1, tell=lambda _: None, **more)
        return [g.kept for g in graded]

    found = find_cohort(handed_in(tmp_path / "in", "ada", "bob")).entries
    out = tmp_path / "out"
    assert kept(found, workforce=crew) == [False, False]
    with (tmp_path / "in" / "bob" / "solution.py").open("a") as stream:
        stream.write("\n# one more thought\n")
    (out / "marks.sqlite").write_text("a human's")
    (out / "submissions" / "ada" / ".notes.tmp").write_text("a human's")
    found = find_cohort(tmp_path / "in").entries
    assert kept(found, workforce=crew) == [True, False]
    assert kept(found, workforce=crew, fresh=True) == [False, False]
    monkeypatch.setattr(subprocess, "Popen", None)
    graded = grade_cohort(order, found, out, jobs=1, tell=lambda _: None)
    assert [g.kept for g in graded] == [True, True]
    write_cohort(order, "both", graded, out)
    results = json.loads((out / "results.json").read_text())
    assert [r["submission"]["id"] for r in results["results"]] == ["ada", "bob"]
    assert results["seed"] == 1
    assert (out / "marks.sqlite").read_text() == "a human's"
    assert (out / "submissions" / "ada" / ".notes.tmp").read_text() == "a human's"


def test_a_second_run_grades_on_fresh_inputs_and_each_result_has_its_seed(
    order: Order, crew: AbstractContextManager[Crew], tmp_path: Path
) -> None:
    """Who has seen the inputs of one run, in its report, does not meet them in the next."""

    def run(seed: int, **more: Any) -> tuple[list[bool], list[int]]:
        again = replace(order, settings=replace(order.settings, seed=seed))
        found = find_cohort(tmp_path / "in").entries
        with Crew(again, 1) as fresh:
            work = nullcontext(fresh)
            graded = grade_cohort(
                again, found, out, jobs=1, workforce=work, tell=lambda _: None, **more
            )
            write_cohort(again, "both", graded, out)
        document = json.loads((out / "results.json").read_text())
        assert document["seed"] == seed
        return [g.kept for g in graded], [r["seed"] for r in document["results"]]

    handed_in(tmp_path / "in", "ada", "bob")
    out = tmp_path / "out"
    assert run(11) == ([False, False], [11, 11])
    with (tmp_path / "in" / "bob" / "solution.py").open("a") as stream:
        stream.write("\n# one more thought\n")
    assert run(12) == ([True, False], [11, 12])
    assert "12; of the 1 kept, as each page says" in (out / "index.html").read_text()
    assert run(12, repeat=True) == ([False, True], [12, 12])


def test_memory_does_not_grow_with_the_number_of_answers(
    order: Order, crew: AbstractContextManager[Crew], tmp_path: Path
) -> None:
    """Results that are kept: what one more costs the run is the same whoever graded it."""
    [ada] = find_cohort(handed_in(tmp_path / "in", "ada")).entries
    out, some = tmp_path / "out", 100
    [one] = grade_cohort(order, [ada], out, jobs=1, workforce=crew, tell=lambda _: None)
    stored = json.loads((out / "submissions" / "ada" / "result.json").read_text())
    handed, found = ada.collect(), []
    for number in range(6 * some):
        id = f"c{number:04}"
        key = stored[REUSE_KEY].replace(":ada:", f":{id}:")
        facts = {"schema_version": stored["schema_version"], REUSE_KEY: key}
        small = one.document | {"submission": {"id": id, "name": id}} | facts
        (out / "submissions" / id).mkdir()
        (out / "submissions" / id / "result.json").write_text(json.dumps(small))
        found.append(replace(ada, id=id, collect=partial(replace, handed, id=id)))
    done, held = itertools.count(1), list[int]()

    def tell(graded: Graded) -> None:
        assert graded.kept
        if next(done) % some == 0:
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        outcomes = grade_cohort(order, found, out, jobs=1, tell=tell)
    finally:
        tracemalloc.stop()
    assert [g.id for g in outcomes] == [entry.id for entry in found]
    each = median(b - a for a, b in pairwise(held)) / some  # Python's own tables grow in leaps
    assert each < MOST_HELD, f"{each:.0f} bytes an answer"


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(
    order: Order, crew: AbstractContextManager[Crew], tmp_path: Path
) -> None:
    found = find_cohort(handed_in(tmp_path / "in", "ada")).entries
    (tmp_path / "out" / "submissions" / "ada" / "result.json").mkdir(parents=True)
    with pytest.raises(CallerError, match="cannot be written"):
        grade_cohort(order, found, tmp_path / "out", jobs=1, workforce=crew, tell=lambda _: None)


def cohort(folder: Path, out: Path) -> list[str]:
    command = ["cohort", str(folder), "--out", str(out), "--jobs", "1", "--json-lines"]
    return [sys.executable, "-m", "grader", *command]


def test_what_is_killed_is_taken_up_again_and_nothing_is_graded_twice(tmp_path: Path) -> None:
    """Once; `tests/benchmarks/kills.py` does it at twenty moments."""
    names = [f"c{number:02}" for number in range(6)]
    folder, out = handed_in(tmp_path / "in", *names), tmp_path / "out"
    run = subprocess.Popen(cohort(folder, out), stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    run.stdout.readline()  # at least one is done
    time.sleep(random.Random(4).uniform(0.0, 0.3))
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    before = {p: p.stat().st_mtime_ns for p in out.glob("submissions/*/result.json")}
    assert before, "what was done is on disk"
    for path in before:
        json.loads(path.read_text())  # and whole
    done = subprocess.run(cohort(folder, out), check=True, stdout=subprocess.PIPE, text=True)
    assert all(p.stat().st_mtime_ns == when for p, when in before.items())
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e["id"] for e in events if e["event"] == "submission" and e["kept"]] == sorted(
        p.parent.name for p in before
    )
    assert events[-2]["event"] == "cohort"
    assert events[-2]["kept"] == len(before)
    results = json.loads((out / "results.json").read_text())["results"]
    assert [r["submission"]["id"] for r in results] == names
    assert {r["score"] for r in results} == {80.0}
    assert not list(out.rglob("*.tmp"))


def _interruptible() -> None:
    """What a shell starts in the background ignores interrupts, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_run_says_what_is_safe_and_leaves_nothing(tmp_path: Path) -> None:
    names = [f"c{number:02}" for number in range(20)]  # more than are graded while we react
    folder, out = handed_in(tmp_path / "in", *names), tmp_path / "out"
    run = subprocess.Popen(
        cohort(folder, out), stdout=subprocess.PIPE, text=True, preexec_fn=_interruptible
    )
    assert run.stdout is not None
    first = json.loads(run.stdout.readline())
    assert (first["id"], first["done"], first["total"]) == ("c00", 1, 20)
    os.kill(run.pid, signal.SIGINT)
    rest = [json.loads(line) for line in run.communicate(timeout=60)[0].splitlines()]
    assert run.returncode == 130
    assert rest[-1]["event"] == "cut-short"
    stored = [json.loads(p.read_text()) for p in out.glob("submissions/*/result.json")]
    assert rest[-1]["done"] == len(stored) < 20
    assert not list(out.rglob("*.tmp"))
