"""How fast a cohort is graded, over the least that its work can cost.

    python -m tests.benchmarks.throughput [--count N] [--rounds R] [--jobs J]

The floor: for every submission a warm process forks twice, and the children do the
reference's arithmetic on the cases of the examination: no sandbox, no pipes, no judge,
no page. As many at a time as the cohort grades. `pytest` is one fresh pytest process a
submission, on the same cores, that asks far less than a grade does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEED = 11

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


def floor(count: int, jobs: int) -> float:
    """Seconds for `count` submissions, in `jobs` warm processes of their own."""
    started = time.perf_counter()
    script = [sys.executable, __file__, "--floor", str(count // jobs)]
    ready = [
        subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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
    for process in ready:
        assert process.stdout is not None
        process.stdout.readline()
    taken = time.perf_counter() - started
    for process in ready:
        process.communicate()
    return taken


def floor_process(count: int) -> None:
    """Warm up, wait for the word, and do the work of `count` submissions."""
    sys.path.insert(0, str(ROOT))
    import torch

    from grader.observe.plan import numpy_steps, torch_steps
    from grader.problem import set_paper

    torch.set_num_threads(1)
    paper = set_paper(SEED)
    source = (ROOT / "reference" / "solution.py").read_text()
    sides = (numpy_steps(paper), torch_steps(paper))
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(count):
        children = [_forked(source, steps) for steps in sides]
        for child in children:
            os.waitpid(child, 0)
    print("done", flush=True)


def _forked(source: str, steps: list) -> int:
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
    finally:
        os._exit(0)


def cohort(folder: Path, jobs: int) -> float:
    """Seconds that `grader cohort` takes beyond its start: a large run less a small one."""
    out = folder.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "grader",
        "cohort",
        str(folder),
        "--out",
        str(out),
        "--jobs",
        str(jobs),
    ]
    started = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    return time.perf_counter() - started


def pytest_each(folder: Path, count: int, jobs: int) -> float:
    """Seconds for `count` submissions with a fresh pytest process each, `jobs` at a time."""
    started = time.perf_counter()
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
    return time.perf_counter() - started


def folder_of(count: int, where: Path) -> Path:
    """`count` copies of the reference, each a little different."""
    source = (ROOT / "reference" / "solution.py").read_text()
    for number in range(count):
        entry = where / f"candidate-{number:05}"
        entry.mkdir(parents=True)
        (entry / "solution.py").write_text(f"{source}\n# {number}\n")
    return where


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--count", type=int, default=200)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    words.add_argument("--floor", type=int, default=0, help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.floor:
        return floor_process(asked.floor)
    with tempfile.TemporaryDirectory() as scratch:
        many = folder_of(asked.count, Path(scratch) / "many" / "in")
        few = folder_of(10, Path(scratch) / "few" / "in")
        ratios = []
        for _ in range(asked.rounds):
            least = floor(asked.count, asked.jobs) / asked.count
            start = cohort(few, asked.jobs)
            grade = (cohort(many, asked.jobs) - start) / (asked.count - 10)
            ratios.append(grade / least)
            print(
                f"floor {1000 * least:6.1f} ms   graded {1000 * grade:6.1f} ms   ratio {ratios[-1]:.2f}",
                flush=True,
            )
        print(f"a submission over the floor: {statistics.median(ratios):.2f} (at most 2)")
        fresh = pytest_each(many, 10, asked.jobs) / 10
        print(
            f"one pytest process each: {1000 * fresh:.0f} ms, {fresh / grade:.0f} × slower (at least 50)"
        )
    return None


if __name__ == "__main__":
    main()
