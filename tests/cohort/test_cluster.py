"""On a Dask cluster of real processes a cohort comes out as on one machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import untimed
from distributed import Client, LocalCluster
from light_worker import LIGHT

from grader.cohort import Settings
from grader.cohort.cluster import AHEAD, Cluster, connect, versions
from grader.cohort.crew import MOST_DEATHS, Crew
from grader.cohort.worker import Finished, Order
from grader.errors import CallerError, HarnessError
from grader.intake import take_in
from grader.records import Submission
from grader.rubric import Rubric

ROOT = Path(__file__).parents[2]
SAMPLES = ("reference", "submissions/abel-tesfaye", "submissions/dana-levy")


@pytest.fixture(scope="module")
def order(onsite: Rubric) -> Order:
    return Order(onsite, Settings(seed=1), "interviewer")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Two workers with a thread each; a nanny starts anew what dies."""
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as local,
        Client(local, set_as_default=False) as client,
    ):
        yield client


def submissions(*ids: str) -> Iterator[Submission]:
    """Samples in turns, under these ids."""
    taken = [take_in(ROOT / path) for path in SAMPLES]
    return (replace(taken[n % len(taken)], id=id) for n, id in enumerate(ids))


def comparable(finished: Finished) -> tuple[str, str]:
    return untimed.document(finished.document), untimed.page(finished.page)


def light(order: Order, client: Client) -> Cluster:
    return Cluster(order, client, exam="none", boot=LIGHT)


def workers(client: Client) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in client.run(os.getpid).values()]


def test_results_are_those_of_one_machine_though_a_worker_is_lost(
    order: Order, client: Client
) -> None:
    ids = [f"s{number}" for number in range(6)]
    with Crew(order, 1) as crew:
        here = {f.id: comparable(f) for f in crew.grade(submissions(*ids))}
        exam = crew.exam
    there: dict[str, Any] = {}
    with Cluster(order, client, exam) as cluster:
        for finished in cluster.grade(submissions(*ids)):
            assert finished.id not in there
            there[finished.id] = comparable(finished)
            if len(there) == 2:
                workers(client)[0].kill()
    differing = [id for id in ids if there[id] != here[id]]
    assert differing == []


def test_what_kills_its_graders_is_set_aside_and_costs_no_dask_worker(
    order: Order, client: Client
) -> None:
    client.wait_for_workers(2, timeout=60)  # one may be on its way back from the test before
    before = set(client.run(os.getpid).values())
    with light(order, client) as cluster:
        done = {f.id: f.document for f in cluster.grade(submissions("a", "bomb", "b", "c"))}
    assert {id: d["status"] for id, d in done.items()} == {
        "a": "graded", "b": "graded", "c": "graded", "bomb": "undecided"
    }  # fmt: skip
    assert f"{MOST_DEATHS} times" in done["bomb"]["fault"]
    assert set(client.run(os.getpid).values()) == before


def test_few_are_in_flight_and_nothing_is_left(order: Order, client: Client) -> None:
    read = 0

    def counted() -> Iterator[Submission]:
        nonlocal read
        for one in submissions(*map(str, range(40))):
            read += 1
            yield one

    with light(order, client) as cluster:
        for number, _ in enumerate(cluster.grade(counted()), 1):
            assert read <= number + AHEAD * 2
    ours = [p for w in workers(client) for p in w.children(recursive=True)]
    psutil.wait_procs(ours, timeout=10)
    assert not [p for p in ours if p.is_running()]


def test_a_worker_with_other_versions_is_refused(order: Order, client: Client) -> None:
    with light(order, client) as cluster:
        cluster.versions = versions() | {"torch": "1.0"}
        with pytest.raises(HarnessError, match=r"has torch .*\(not 1\.0\)"):
            list(cluster.grade(submissions("a")))


def test_an_address_where_nobody_answers_is_the_callers_fault() -> None:
    with pytest.raises(CallerError, match="no Dask scheduler"):
        connect("tcp://127.0.0.1:9", seconds=1.0)
