"""How fast a cohort is graded, over the least that its work can cost.

    python -m tests.benchmarks.throughput [--count N] [--rounds R] [--jobs J]
        [--others PYTHON]

The floor: for every submission a warm process forks twice, and the children do the
reference's arithmetic on the cases of the examination: no sandbox, no pipes, no judge,
no page. As many at a time as the cohort grades. Beside it stands, not as the target's measure,
the same with the calls of `verify` and `gradient_check` by which a grade finds out whether
these notice a wrong gradient. `pytest` is one fresh pytest process a
submission, on the same cores, that asks far less than a grade does. Each ratio is taken
twice: of wall time, and of processor time over all processes, which other work on the
machine disturbs less. otter-grader and nbgrader do the same small job as pytest, where
PYTHON has them (see `others`).
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
SEED = 11
TRIALS = {"verify": (20, "primes"), "gradient_check": (14, "small")}
"""Calls of the reference's own checks beyond the examination's, and on which case."""

FEW = 10
"""Submissions of the run that is taken off for its start, and of pytest's."""

OTHERS = 4
"""Submissions that each of the other graders gets."""

PYTEST = """
import numpy as np
import torch
from solution import backward, forward, torch_forward_backward

def test_gradients_agree():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(7, 5)), rng.integers(0, 3, 7)
    given = (X, y, rng.normal(size=(5, 11)), rng.normal(size=11), rng.normal(size=(11, 3)), rng.normal(size=3))
    ours = backward(forward(*given)[1])
    theirs = torch_forward_backward(*given)[1]
    for name in ours:
        np.testing.assert_allclose(ours[name], np.asarray(theirs[name]), rtol=1e-6)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds: by the clock, and of processors in all processes taken together."""

    wall: float
    cpu: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.wall - other.wall, self.cpu - other.cpu)

    def each(self, count: int) -> Cost:
        return Cost(self.wall / count, self.cpu / count)

    def over(self, other: Cost) -> Cost:
        """The ratio of either."""
        return Cost(self.wall / other.wall, self.cpu / other.cpu)

    def __str__(self) -> str:
        return f"{1000 * self.wall:7.1f} ms ({1000 * self.cpu:7.1f} ms of processors)"


def used(whose: int) -> float:
    """Processor seconds."""
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime


def cost_of(work: Callable[[], object]) -> Cost:
    """What processes started and ended by `work` cost."""
    started, before = time.perf_counter(), used(resource.RUSAGE_CHILDREN)
    work()
    return Cost(time.perf_counter() - started, used(resource.RUSAGE_CHILDREN) - before)


def floor(count: int, jobs: int, *, trials: bool = False) -> Cost:
    """`count` submissions, in `jobs` warm processes with a thread each, as a zygote has."""
    script = [sys.executable, __file__, "--floor", str(count // jobs)]
    script += ["--trials"] if trials else []
    alone = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    ready = [
        subprocess.Popen(
            script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=alone
        )
        for _ in range(jobs)
    ]
    for process in ready:
        assert process.stdout is not None
        process.stdout.readline()
    started = time.perf_counter()
    for process in ready:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    cpu = 0.0
    for process in ready:
        assert process.stdout is not None
        cpu += float(process.stdout.readline())
    taken = time.perf_counter() - started
    for process in ready:
        process.communicate()
    return Cost(taken, cpu)


def floor_process(count: int, *, trials: bool) -> None:
    """Warm up, wait for the word, and do the work of `count` submissions."""
    sys.path.insert(0, str(ROOT))
    import torch

    from grader.observe.plan import numpy_steps, torch_steps
    from grader.problem import set_paper

    torch.set_num_threads(1)
    paper = set_paper(SEED)
    source = (ROOT / "reference" / "solution.py").read_text()
    calls = [
        (name, list(paper.cases[case].inputs.values()))
        for name, (times, case) in TRIALS.items()
        for _ in range(times)
    ]
    sides = ((numpy_steps(paper), []), (torch_steps(paper), calls if trials else []))
    print("ready", flush=True)
    sys.stdin.readline()
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    before = sum(map(used, both))
    for _ in range(count):
        children = [_forked(source, *side) for side in sides]
        for child in children:
            os.waitpid(child, 0)
    print(sum(map(used, both)) - before, flush=True)


def _forked(source: str, steps: list, calls: list) -> int:
    """A child that takes the steps, and makes further calls (name, arguments)."""
    child = os.fork()
    if child:
        return child
    try:
        names: dict = {"__name__": "solution"}
        exec(compile(source, "solution.py", "exec"), names)
        caches = {}
        for step in steps:
            given = list(step.case.inputs.values())
            if step.kind == "forward":
                caches[step.handle] = names["forward"](*given)[1]
            elif step.kind == "backward":
                names["backward"](caches[step.handle])
            elif step.kind == "torch":
                names["torch_forward_backward"](*given)
            elif step.kind == "verify":
                names["verify"](*given)
        for name, arguments in calls:
            names[name](*arguments)
    finally:
        os._exit(0)


def cohort(folder: Path, jobs: int) -> Cost:
    """`grader cohort` on a folder, its start included."""
    out = folder.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    words = ["cohort", str(folder), "--out", str(out), "--jobs", str(jobs)]
    command = [sys.executable, "-m", "grader", *words]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return cost_of(lambda: subprocess.run(command, check=True, cwd=ROOT, **quiet))


def pytest_each(folder: Path, count: int, jobs: int) -> None:
    """Grade `count` submissions with a fresh pytest process each, `jobs` at a time."""
    todo = sorted(folder.iterdir())[:count]
    running: list[subprocess.Popen[bytes]] = []
    for entry in todo:
        (entry / "test_it.py").write_text(PYTEST)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(entry),
            "test_it.py",
        ]
        running.append(subprocess.Popen(command, cwd=entry, stdout=subprocess.DEVNULL))
        if len(running) == jobs:
            running.pop(0).wait()
    for process in running:
        process.wait()


def middle(ratios: list[Cost]) -> tuple[float, float]:
    """The medians of wall and of processor time."""
    return median(r.wall for r in ratios), median(r.cpu for r in ratios)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--count", type=int, default=120)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    words.add_argument("--floor", type=int, default=0, help=argparse.SUPPRESS)
    words.add_argument("--trials", action="store_true", help=argparse.SUPPRESS)
    words.add_argument("--others", metavar="PYTHON", help="of an environment with otter, nbgrader")
    asked = words.parse_args()
    if asked.floor:
        return floor_process(asked.floor, trials=asked.trials)
    from tests.benchmarks.cohorts import folder_of, references
    from tests.benchmarks.others import found

    with tempfile.TemporaryDirectory() as scratch:
        many = folder_of(references(asked.count), Path(scratch) / "many" / "in")
        few = folder_of(references(FEW), Path(scratch) / "few" / "in")
        ratios, wider = [], []
        for _ in range(asked.rounds):
            least = floor(asked.count, asked.jobs).each(asked.count)
            start = cohort(few, asked.jobs)
            grade = (cohort(many, asked.jobs) - start).each(asked.count - FEW)
            tried = floor(asked.count, asked.jobs, trials=True).each(asked.count)
            ratios.append(grade.over(least))
            wider.append(grade.over(tried))
            print(f"floor {least}   with trials {tried}   graded {grade}", flush=True)
        wall, cpu = middle(ratios)
        print(f"a submission over the floor: {wall:.2f}, of processors {cpu:.2f} (at most 2)")
        wall, cpu = middle(wider)
        print(f"over the floor with the trials of its own checks: {wall:.2f}, {cpu:.2f}")
        fresh = cost_of(lambda: pytest_each(many, FEW, asked.jobs)).each(FEW)
        slower = fresh.over(grade)
        print(
            f"one pytest process each: {fresh}, {slower.wall:.0f} × slower (at least 50), "
            f"{slower.cpu:.0f} × the processors"
        )
        for name, work in found(asked.others, Path(scratch), OTHERS, asked.jobs).items():
            other = cost_of(work).each(OTHERS)
            print(f"{name}: {other}, {other.over(grade).wall:.0f} × slower")
    return None


if __name__ == "__main__":
    main()
