"""What a mistake costs: processor and wall time of a grade, with it and without.

    python -m tests.benchmarks.wrong_cost [--count N] [--rounds N] [--each]

A correct solution of `tests/diagnosis/styles` and the same one with one mistake are graded
in turns, so that nothing but the mistake differs; the mutants are those of
`benchmarks.diagnosis`. Processor time is the judge's, the zygotes' and that of all their
children. Either of a pair is taken by the least of equally many rounds, and each round has
an engine of its own, so that nothing is remembered of the round before.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.cohort import Engine, Settings
from grader.diagnosis import Diagnosis
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.observe.zygotes import Zygotes
from grader.records import SourceFile
from grader.rubric import load_rubric
from grader.sandbox.control import Reaped
from grader.sandbox.pool import Zygote
from tests.benchmarks.mutation.make import Workshop

STYLES = Path(__file__).parents[1] / "diagnosis" / "styles"
PER_CODE = 9
COUNT = 60
ROUNDS = 3
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
class Cost:
    """Milliseconds of one grade."""

    cpu: float
    wall: float
    diagnosis: float


@dataclass
class Pair:
    """A mistake's name, and what its answer cost without and with it, round by round."""

    name: str
    right: list[Cost] = field(default_factory=list)
    wrong: list[Cost] = field(default_factory=list)

    def more(self, what: str) -> float:
        """What the mistake adds; the least of the rounds on either side, the rest is noise."""
        return least(self.wrong, what) - least(self.right, what)


def least(costs: list[Cost], what: str) -> float:
    return min(getattr(cost, what) for cost in costs)


def timed(engine: Timed, source: str) -> Cost:
    file = SourceFile("solution.py", source.encode())
    submission = assemble("answer", "answer", Read((file,), ()))
    cpu = processor_seconds(engine.zygotes, engine.spent)
    diagnosis, wall = engine.spent.diagnosis, time.perf_counter()
    engine.grade(submission)
    wall = time.perf_counter() - wall
    cpu = processor_seconds(engine.zygotes, engine.spent) - cpu
    return Cost(1000 * cpu, 1000 * wall, 1000 * (engine.spent.diagnosis - diagnosis))


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--count", type=int, default=COUNT, help="mistakes, drawn at random")
    words.add_argument("--rounds", type=int, default=ROUNDS)
    words.add_argument("--each", action="store_true", help="every mistake's figures as well")
    asked = words.parse_args()
    workshop = Workshop({p.stem: p.read_text() for p in sorted(STYLES.glob("*.py"))})
    mutants = random.Random(SEED).sample(workshop.singles(PER_CODE), asked.count)
    pairs = [Pair(mutant.name) for mutant in mutants]
    rubric = load_rubric(bundled("rubrics") / "onsite.yaml", [c.id for c in ALL_CHECKS])
    with Zygotes() as zygotes:
        spent = Spent()
        for zygote in (zygotes.numpy, zygotes.torch):
            zygote.facts()
            counted(zygote, spent)
        for number in range(asked.rounds):
            engine = Timed(rubric, Settings(seed=SEED + number), zygotes)
            engine.spent, engine.zygotes = spent, zygotes
            engine.exam()
            for mutant, pair in zip(mutants, pairs, strict=True):
                right = workshop.styles[mutant.name.partition(":")[0]]
                pair.right.append(timed(engine, right))
                pair.wrong.append(timed(engine, mutant.source))
    report(pairs, each=asked.each)


def report(pairs: list[Pair], *, each: bool) -> None:
    kinds = ("cpu", "wall", "diagnosis")
    print(f"milliseconds a grade, {len(pairs)} mistakes       processor      wall diagnosis")
    if each:
        for pair in sorted(pairs, key=lambda pair: pair.more("cpu")):
            print(f"    {pair.name:44}" + "".join(f"{pair.more(k):+10.1f}" for k in kinds))
    for side in ("right", "wrong"):
        costs = [getattr(pair, side) for pair in pairs]
        figures = [statistics.median(least(rounds, k) for rounds in costs) for k in kinds]
        print(f"  {side:46}" + "".join(f"{figure:10.1f}" for figure in figures))
    more = [pair.more("cpu") for pair in pairs]
    print(
        f"a mistake costs {statistics.median(more):+.1f} ms of processor time in the median, "
        f"{statistics.mean(more):+.1f} in the mean (target: at most {TARGET:.0f})"
    )


if __name__ == "__main__":
    main()
