"""Whether a large cohort takes linear time and flat memory, and leaves nothing behind.

    python -m tests.benchmarks.linear [--count N] [--jobs J]

The answers come from the mutator. The table has a line for each fifth of the cohort;
`--count 5000` makes each of them a thousand.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from grader.cohort.cores import cores
from grader.cohort.outcomes import Graded
from grader.cohort.run import grade_cohort, write_cohort
from grader.intake import find_cohort
from tests.benchmarks.cohorts import (
    descriptors,
    folder_of,
    mutants,
    offspring,
    order,
    resident,
    stored,
)

PARTS = 5


class Watch:
    """Looks at the clock and at this process's memory after each fifth."""

    def __init__(self, count: int) -> None:
        self.size, self.done = count // PARTS, 0
        self.moments, self.memory = [time.perf_counter()], [resident()]

    def tell(self, _graded: Graded) -> None:
        self.done += 1
        if self.done == 1:
            self.moments[0] = time.perf_counter()  # from the first on: the start is no fifth
        if self.done % self.size == 0:
            self.moments.append(time.perf_counter())
            self.memory.append(resident())
            taken = self.moments[-1] - self.moments[-2]
            print(
                f"{self.done:6}  {1000 * taken / self.size:7.1f} ms each"
                f"  judge {self.memory[-1]:6.1f} MiB",
                flush=True,
            )


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--count", type=int, default=1000)
    words.add_argument("--jobs", type=int, default=cores())
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = folder_of(mutants(asked.count), Path(scratch) / "in")
        out, by = Path(scratch) / "out", order()
        found = find_cohort(folder).found
        before = descriptors(), offspring()
        watch = Watch(asked.count)
        graded = grade_cohort(by, found, out, jobs=asked.jobs, tell=watch.tell)
        write_cohort(by, "mutants", graded, out)
        peak = resident()
        first, *_, last = (b - a for a, b in zip(watch.moments, watch.moments[1:], strict=False))
        growth = 1024 * (watch.memory[-1] - watch.memory[1]) / (asked.count - watch.size)
        left = offspring() - before[1]
        undecided = sum(d["status"] != "graded" for d in stored(out).values())
        print(f"last fifth over the first: {last / first:.2f} (1 is linear)")
        print(f"the judge grew by {growth:.1f} KiB a submission (the outline that the index needs)")
        print(f"after the pages {peak:.0f} MiB; results.json {_size(out / 'results.json'):.0f} MiB")
        print(f"left: {len(left)} processes, {descriptors() - before[0]} descriptors")
        print(f"undecided: {undecided} of {len(stored(out))}")


def _size(path: Path) -> float:
    return path.stat().st_size / (1 << 20)


if __name__ == "__main__":
    main()
