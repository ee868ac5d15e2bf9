"""Whether a large cohort takes linear time and flat memory, and leaves nothing behind.

    python -m tests.benchmarks.linear [--count N] [--jobs J]

The answers come from the mutator. The table has a line for each fifth of the cohort;
`--count 5000` makes each of them a thousand. Memory is what is resident, of the judge, of the
workers and of their zygotes; what it grows by is taken from the end of the first fifth on.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from grader.cohort.cores import cores
from grader.cohort.outcomes import Graded
from grader.cohort.run import grade_cohort, write_cohort
from grader.intake import find_cohort
from tests.benchmarks.cohorts import (
    descriptors,
    folder_of,
    generations,
    mutants,
    offspring,
    order,
    resident,
)

PARTS = 5


@dataclass(frozen=True, slots=True)
class Moment:
    """When a fifth was done, and the memory of each process then, MiB."""

    at: float
    judge: float
    workers: Mapping[int, float]
    zygotes: Mapping[int, float]


def now() -> Moment:
    """The workers are this process's children, and the zygotes are theirs."""
    workers, zygotes, *_ = [*generations(), set[int](), set[int]()]
    of = lambda pids: {pid: resident(pid) for pid in pids}  # noqa: E731
    return Moment(time.perf_counter(), resident(), of(workers), of(zygotes))


def grown(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """MiB by which those processes grew, taken together, that are there both times."""
    return sum(after[pid] - size for pid, size in before.items() if pid in after)


class Watch:
    """Looks at the clock and at the memory of all processes after each fifth."""

    def __init__(self, count: int) -> None:
        self.size, self.done, self.undecided = max(1, count // PARTS), 0, 0
        self.begun = time.perf_counter()
        self.moments: list[Moment] = []

    def tell(self, graded: Graded) -> None:
        self.done += 1
        self.undecided += graded.document["status"] != "graded"
        if self.done == 1:
            self.begun = time.perf_counter()  # from the first on: the start is no fifth
        if self.done % self.size == 0:
            self.moments.append(now())
            last = self.moments[-1]
            print(
                f"{self.done:6}  {1000 * self.taken[-1] / self.size:7.1f} ms each"
                f"  judge {last.judge:6.1f} MiB  {len(last.workers)} workers"
                f" {sum(last.workers.values()):6.1f} MiB  {len(last.zygotes)} zygotes"
                f" {sum(last.zygotes.values()):6.1f} MiB",
                flush=True,
            )

    @property
    def taken(self) -> list[float]:
        """Seconds for each fifth."""
        moments = [self.begun, *(m.at for m in self.moments)]
        return [after - before for before, after in pairwise(moments)]

    def growth(self) -> str:
        """KiB for each submission, from the end of the first fifth to that of the last."""
        first, last = self.moments[0], self.moments[-1]
        each = 1024 / max(1, self.size * (len(self.moments) - 1))
        judge = each * (last.judge - first.judge)
        workers = each * grown(first.workers, last.workers)
        zygotes = each * grown(first.zygotes, last.zygotes)
        same = (first.workers.keys(), first.zygotes.keys()) == (
            last.workers.keys(),
            last.zygotes.keys(),
        )
        note = "" if same else " (some of them ended on the way, and are left out)"
        return (
            f"grown by a submission, after the first fifth: the judge {judge:.2f} KiB, all workers "
            f"{workers:.2f} KiB, all zygotes {zygotes:.2f} KiB{note}"
        )


def hand_in(count: int, where: Path) -> None:
    """The cohort, as a folder."""
    folder_of(mutants(count), where)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--count", type=int, default=1000)
    words.add_argument("--jobs", type=int, default=cores())
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder, out, by = Path(scratch) / "in", Path(scratch) / "out", order()
        maker = get_context("fork").Process(target=hand_in, args=(asked.count, folder))
        maker.start()  # the mutator's memory is not the judge's
        maker.join()
        found = find_cohort(folder).entries
        before = descriptors(), offspring()
        watch = Watch(asked.count)
        graded = grade_cohort(by, found, out, jobs=asked.jobs, tell=watch.tell)
        spooled, left = descriptors() - before[0], offspring() - before[1]
        write_cohort(by, "mutants", graded, out)
        after = resident()
        del graded
        print(f"last fifth over the first: {watch.taken[-1] / watch.taken[0]:.2f} (1 is linear)")
        print(watch.growth())
        print(
            f"after the pages {after:.0f} MiB; results.json {_size(out / 'results.json'):.0f} MiB"
        )
        print(
            f"left: {len(left)} processes, {descriptors() - before[0]} descriptors"
            f" ({spooled} before the pages: the outlines)"
        )
        print(f"undecided: {watch.undecided} of {watch.done}")


def _size(path: Path) -> float:
    return path.stat().st_size / (1 << 20)


if __name__ == "__main__":
    main()
