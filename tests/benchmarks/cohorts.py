"""Cohorts to measure with, and what the measurements of this folder share."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.cohort import Settings
from grader.cohort.worker import Order
from grader.defects import KINDS
from grader.observe.observe import Allowance
from grader.rubric import load_rubric
from grader.sandbox.control import Limits

ROOT = Path(__file__).parents[2]
SEED = 11


def order(seconds: float = 10.0) -> Order:
    """By the bundled rubric, as the command line grades."""
    rubric = load_rubric(
        bundled("rubrics") / "onsite.yaml", [c.id for c in ALL_CHECKS], [c.code for c in KINDS]
    )
    limits = Limits(cpu_seconds=max(1, int(2 * seconds)))
    settings = Settings(seed=SEED, allowance=Allowance(seconds, limits))
    return Order(rubric, settings, "interviewer")


def folder_of(sources: Iterator[str], where: Path) -> Path:
    """A folder for each source, each file a little different from all others."""
    for number, source in enumerate(sources):
        entry = where / f"candidate-{number:05}"
        entry.mkdir(parents=True)
        (entry / "solution.py").write_text(f"{source}\n# {number}\n")
    return where


def references(count: int) -> Iterator[str]:
    """The model answer, again and again."""
    return itertools.repeat((ROOT / "reference" / "solution.py").read_text(), count)


def mutants(count: int) -> Iterator[str]:
    """Answers with one mistake each, every third one right, round all that the mutator makes."""
    from tests.benchmarks.mutation.edit import applied
    from tests.benchmarks.mutation.make import Workshop

    styles = {
        path.stem: path.read_text()
        for path in sorted((ROOT / "tests" / "diagnosis" / "styles").glob("*.py"))
    }
    shop = Workshop(styles)
    wrong = itertools.cycle(applied(styles[one.style], one) for one in shop.mistakes)
    right = itertools.cycle(styles.values())
    return itertools.islice(
        (next(right) if number % 3 == 2 else next(wrong) for number in itertools.count()), count
    )


def stored(out: Path) -> dict[str, dict[str, Any]]:
    """The results in `out`, by id."""
    found = (json.loads(path.read_text()) for path in out.glob("submissions/*/result.json"))
    return {document["submission"]["id"]: document for document in found}


def resident(pid: int | str = "self") -> float:
    """Resident memory of a process, MiB; 0 once it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def descriptors() -> int:
    """Open descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


def offspring() -> set[int]:
    """The processes that descend from this one."""
    return set().union(*generations())


def generations() -> list[set[int]]:
    """The processes that descend from this one: its children, theirs, and so on."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            parents[int(entry.name)] = int(stat[1])
    found, last = list[set[int]](), {os.getpid()}
    while last := {pid for pid, parent in parents.items() if parent in last}:
        found.append(last)
    return found


def seconds(work: Callable[[], Any]) -> float:
    """Wall time of `work`."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
