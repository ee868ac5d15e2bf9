"""What a wrong submission costs beyond a right one: processor and wall time of a grade.

    python -m tests.benchmarks.wrong_cost [--rounds N] [--each]

The samples of `submissions/` are graded one at a time, a right one and a wrong one in
turns. Processor time is the judge's, the zygotes' and that of all their children. Each
round has an engine of its own, so that nothing is remembered of the round before.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.cohort import Engine, Settings
from grader.diagnosis import Diagnosis
from grader.intake import take_in
from grader.observe.zygotes import Zygotes
from grader.records import Submission
from grader.rubric import load_rubric
from grader.sandbox.control import Reaped
from grader.sandbox.pool import Zygote

SUBMISSIONS = Path(__file__).parents[2] / "submissions"
ROUNDS = 5
SEED = 7
TARGET = 30.0


@dataclass
class Spent:
    """Seconds of children that have ended, and of diagnoses, so far."""

    children: float = 0.0
    diagnosis: float = 0.0


class Timed(Engine):
    """An engine that notes what diagnoses cost, the traces they ask for included."""

    spent: Spent
    zygotes: Zygotes

    def _diagnose(self, *given: Any) -> Diagnosis:
        started = processor_seconds(self.zygotes, self.spent)
        try:
            return super()._diagnose(*given)
        finally:
            self.spent.diagnosis += processor_seconds(self.zygotes, self.spent) - started


def processor_seconds(zygotes: Zygotes, spent: Spent) -> float:
    """Of the judge, the zygotes and the children that were collected."""
    pids = [z._process.pid for z in (zygotes.numpy, zygotes.torch)]
    own = sum(int(Path(f"/proc/{p}/schedstat").read_text().split()[0]) for p in pids) / 1e9
    return time.process_time() + own + spent.children


def counted(zygote: Zygote, spent: Spent) -> None:
    """Let `spent` grow by what each child of `zygote` has used when it is collected."""
    collect: Callable[[int], Reaped] = zygote._reap

    def reap(pid: int) -> Reaped:
        reaped = collect(pid)
        spent.children += reaped.cpu_seconds
        return reaped

    zygote.__dict__["_reap"] = reap


@dataclass
class Times:
    """Milliseconds a grade of one kind of submission, by sample."""

    cpu: dict[str, list[float]] = field(default_factory=dict)
    wall: dict[str, list[float]] = field(default_factory=dict)
    diagnosis: dict[str, list[float]] = field(default_factory=dict)

    def middle(self, what: dict[str, list[float]]) -> float:
        """The median over the samples, each by the least of its rounds: the rest is noise."""
        return statistics.median(min(rounds) for rounds in what.values())


def timed(engine: Timed, submission: Submission, times: Times) -> None:
    cpu = processor_seconds(engine.zygotes, engine.spent)
    diagnosis, wall = engine.spent.diagnosis, time.perf_counter()
    engine.grade(submission)
    wall, spent = time.perf_counter() - wall, engine.spent
    for store, seconds in (
        (times.wall, wall),
        (times.cpu, processor_seconds(engine.zygotes, spent) - cpu),
        (times.diagnosis, spent.diagnosis - diagnosis),
    ):
        store.setdefault(submission.id, []).append(1000 * seconds)


def samples() -> tuple[list[Submission], list[Submission]]:
    """The right ones and the wrong ones, as their `expected.yaml` says."""
    right, wrong = [], []
    for file in sorted(SUBMISSIONS.glob("*/expected.yaml")):
        fails = yaml.safe_load(file.read_text())["fails"]
        (wrong if fails else right).append(take_in(file.parent))
    return right, wrong


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rounds", type=int, default=ROUNDS)
    words.add_argument("--each", action="store_true", help="every sample's figures as well")
    asked = words.parse_args()
    rubric = load_rubric(bundled("rubrics") / "onsite.yaml", [c.id for c in ALL_CHECKS])
    right, wrong = samples()
    kinds = {"right": Times(), "wrong": Times()}
    with Zygotes() as zygotes:
        spent = Spent()
        for zygote in (zygotes.numpy, zygotes.torch):
            zygote.facts()
            counted(zygote, spent)
        for number in range(asked.rounds):
            engine = Timed(rubric, Settings(seed=SEED + number), zygotes)
            engine.spent, engine.zygotes = spent, zygotes
            engine.exam()
            for index, submission in enumerate(wrong):
                timed(engine, right[index % len(right)], kinds["right"])
                timed(engine, submission, kinds["wrong"])
    print("milliseconds a grade (median over the samples)    processor    wall    diagnosis")
    for kind, times in kinds.items():
        figures = [times.middle(what) for what in (times.cpu, times.wall, times.diagnosis)]
        count = f"{kind} ({len(times.cpu)})"
        print(f"  {count:46}" + "".join(f"{figure:10.1f}" for figure in figures))
        if asked.each:
            for name in times.cpu:
                each = [min(what[name]) for what in (times.cpu, times.wall, times.diagnosis)]
                print(f"    {name:44}" + "".join(f"{figure:10.1f}" for figure in each))
    more = kinds["wrong"].middle(kinds["wrong"].cpu) - kinds["right"].middle(kinds["right"].cpu)
    print(f"a wrong one costs {more:+.1f} ms of processor time (target: at most {TARGET:.0f})")


if __name__ == "__main__":
    main()
