"""Two Dask workers on this machine against its own crew, and a run that loses one of them.

    python -m tests.benchmarks.cluster [--count N] [--rounds R]

Both grade the same answers under the same seed, warm, in turns. Needs the extra `dask`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from distributed import Client, LocalCluster

from grader.cohort.cluster import Cluster
from grader.cohort.crew import Crew
from grader.cohort.workforce import Workforce
from grader.intake import find_cohort
from grader.records import Submission
from tests.benchmarks.cohorts import folder_of, mutants, order
from tests.cohort import untimed

WORKERS = 2


def graded(
    hands: Workforce, submissions: list[Submission], after: Callable[[int], None] = lambda _: None
) -> tuple[float, dict[str, str], int]:
    """Seconds from the first result on, per submission; the results; how many came twice."""
    started, results, twice = time.perf_counter(), dict[str, str](), 0
    for number, finished in enumerate(hands.grade(iter(submissions))):
        if number == 0:
            started = time.perf_counter()
        twice += finished.id in results
        results[finished.id] = untimed.document(finished.document)
        after(number)
    return (time.perf_counter() - started) / (len(submissions) - 1), results, twice


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--count", type=int, default=120)
    words.add_argument("--rounds", type=int, default=3)
    asked = words.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as local,
        Client(local) as client,
    ):
        folder = folder_of(mutants(asked.count), Path(scratch) / "in")
        submissions = [entry.read() for entry in find_cohort(folder).entries]
        by, ratios = order(), []
        with Crew(by, WORKERS) as crew, Cluster(by, client, crew.examination()) as cluster:
            for hands in (crew, cluster):
                graded(hands, submissions[: 2 * WORKERS])  # every process is warm
            for _ in range(asked.rounds):
                here, right, _ = graded(crew, submissions)
                there, same, twice = graded(cluster, submissions)
                ratios.append(here / there)
                print(f"crew {1000 * here:6.1f} ms   Dask {1000 * there:6.1f} ms", flush=True)
                assert (same, twice) == (right, 0)
            print(f"Dask's throughput over the crew's: {statistics.median(ratios):.2f} (0.9)")

            def lose(number: int) -> None:
                if number == len(submissions) // 2:
                    psutil.Process(next(iter(client.run(os.getpid).values()))).kill()

            _, same, twice = graded(cluster, submissions, lose)
            lost = len(right.keys() - same.keys())
            print(f"a worker killed in the middle: {lost} lost, {twice} twice, ", end="")
            print(f"{sum(same.get(k) != v for k, v in right.items())} other than before")


if __name__ == "__main__":
    main()
