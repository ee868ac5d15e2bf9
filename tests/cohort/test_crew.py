"""Workers that die cost a retry; what kills three of them is set aside."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from light_worker import LIGHT

from grader.cohort import Settings
from grader.cohort.crew import MOST_DEATHS, Crew
from grader.cohort.worker import Order
from grader.intake import take_in
from grader.records import Submission
from grader.rubric import Rubric

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def order(onsite: Rubric) -> Order:
    return Order(onsite, Settings(seed=1), "interviewer")


def submissions(*ids: str) -> Iterator[Submission]:
    one = take_in(ROOT / "reference")
    return (replace(one, id=id) for id in ids)


def light(order: Order, jobs: int) -> Crew:
    return Crew(order, jobs, LIGHT, exam="none")


def test_what_kills_its_worker_is_set_aside_and_the_others_are_graded(order: Order) -> None:
    with light(order, 2) as crew:
        done = {f.id: f.document for f in crew.grade(submissions("a", "bomb", "b", "c"))}
    assert {id: d["status"] for id, d in done.items()} == {
        "a": "graded", "b": "graded", "c": "graded", "bomb": "undecided"
    }  # fmt: skip
    assert f"{MOST_DEATHS} times" in done["bomb"]["fault"]


def test_what_takes_the_judge_too_long_is_judged_by_its_numbers(order: Order) -> None:
    with light(order, 2) as crew:
        done = {f.id: f.document for f in crew.grade(submissions("a", "long", "b"))}
    assert {id: bool(d["rest"]) for id, d in done.items()} == {"a": False, "b": False, "long": True}


def test_what_takes_too_long_even_so_is_set_aside(order: Order) -> None:
    with light(order, 1) as crew:
        done = {f.id: f.document for f in crew.grade(submissions("endless", "a"))}
    assert (done["endless"]["status"], done["a"]["status"]) == ("undecided", "graded")
    assert "even its numbers" in done["endless"]["fault"]


def test_workers_share_the_work_and_stay_for_the_next(order: Order) -> None:
    with light(order, 2) as crew:
        first = [f.document["by"] for f in crew.grade(submissions(*map(str, range(40))))]
        again = {f.document["by"] for f in crew.grade(submissions("a", "b"))}
    assert len(set(first)) == 2
    assert again <= set(first)


def test_a_worker_that_dies_costs_a_retry_and_no_grade(order: Order) -> None:
    ids = [f"s{number}" for number in range(4)]
    done = []
    with Crew(order, 1) as crew:
        for finished in crew.grade(submissions(*ids)):
            done.append(finished.id)
            if len(done) == 1:
                os.kill(crew._workers[0].process.pid, signal.SIGKILL)
            assert finished.document["score"] == 80.0
    assert sorted(done) == ids


def test_nothing_is_left_when_it_is_interrupted(order: Order) -> None:
    with pytest.raises(KeyboardInterrupt), light(order, 2) as crew:
        for _ in crew.grade(submissions("a", "b", "c")):
            processes = [w.process for w in crew._workers]
            raise KeyboardInterrupt
    assert all(p.poll() is not None for p in processes)


def test_nothing_to_do_starts_nobody(order: Order) -> None:
    with Crew(order, 2) as crew:
        assert list(crew.grade(iter(()))) == []
        assert crew._workers == []
