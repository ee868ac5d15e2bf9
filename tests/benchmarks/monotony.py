"""More bugs never score higher: a mistake is added, and the score must not rise.

    python -m tests.benchmarks.monotony [--pairs N] [--lesser N] [--composed] [--seed S]

`--pairs`: mutants with two mistakes, each held against both of its mistakes alone, and these
against the right solution. `--lesser`: right solutions and mutants that raise in the place of an
answer, return less, lack a function or never come back, held against what they were made of.

Where the score rises because a check passes that failed before, one mistake undid the other in
numbers (a sum for a mean, and 1/B twice): such pairs are counted apart, and shown.
The times of two runs differ, so `backward.vectorised`, which looks at a clock, may as well; a
relation in which it decides is graded once more, and counted apart where it decides again.
"""

from __future__ import annotations

import argparse
import ast
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from grader.bundled import bundled
from grader.checks import ALL_CHECKS
from grader.cohort import Engine, Settings
from grader.defects import KINDS
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.observe.zygotes import Zygotes
from grader.records import CheckStatus, Result, SourceFile
from grader.rubric import load_rubric
from tests.benchmarks.mutation.make import Mutant, Workshop
from tests.diagnosis.variants import variants

STYLES = Path(__file__).parents[1] / "diagnosis" / "styles"
PER_CODE = 9
PAIRS, LESSER = 2000, 300
SEED = 7
ROUNDING = 1e-9
"""Points; scores are exact fractions until they are written as floats."""

CLOCKED = "backward.vectorised"


@dataclass(frozen=True)
class Relation:
    """Two sources: `worse` is `base` with a mistake more."""

    name: str
    base: str
    worse: str


@dataclass(frozen=True)
class Outcome:
    """The score of one source, and the checks that pass."""

    score: float
    of: float
    passing: frozenset[str]


# ── what is less than an answer ──────────────────────────────────────────────

ARGUMENTS = "X, y, W1, b1, W2, b2"
WAYS = {
    "raises in backward": "def backward(cache):\n    raise ValueError('no')\n",
    "raises in PyTorch": f"def torch_forward_backward({ARGUMENTS}):\n"
    "    raise RuntimeError('modified by an inplace operation')\n",
    "raises without history": f"def torch_forward_backward({ARGUMENTS}):\n"
    "    raise RuntimeError('element 0 of tensors does not require grad')\n",
    "raises in verify": f"def verify({ARGUMENTS}):\n    raise ValueError('no')\n",
    "says yes": f"def verify({ARGUMENTS}):\n    return True\n",
    "says no": f"def verify({ARGUMENTS}):\n    return False\n",
    "raises on large input": "_forward = forward\n"
    f"def forward({ARGUMENTS}):\n"
    "    if max(abs(X @ W1).max(), abs(W2).max()) > 30:\n        raise IndexError('no')\n"
    f"    return _forward({ARGUMENTS})\n",
    "raises where a class is absent": "_forward = forward\n"
    f"def forward({ARGUMENTS}):\n"
    "    if y.max() + 1 < W2.shape[1]:\n        raise IndexError('no')\n"
    f"    return _forward({ARGUMENTS})\n",
    "no dX": "_backward = backward\n"
    "def backward(cache):\n"
    "    return {n: g for n, g in _backward(cache).items() if n != 'X'}\n",
    "db2 alone": "_backward = backward\n"
    "def backward(cache):\n"
    "    return {n: g for n, g in _backward(cache).items() if n == 'b2'}\n",
    "no dX in PyTorch": "_torch = torch_forward_backward\n"
    f"def torch_forward_backward({ARGUMENTS}):\n"
    f"    loss, grads = _torch({ARGUMENTS})\n"
    "    return loss, {n: g for n, g in grads.items() if n != 'X'}\n",
    "b2 alone in PyTorch": "_torch = torch_forward_backward\n"
    f"def torch_forward_backward({ARGUMENTS}):\n"
    f"    loss, grads = _torch({ARGUMENTS})\n"
    "    return loss, {n: g if n == 'b2' else None for n, g in grads.items()}\n",
}
HANGS = {
    "hangs in backward": "def backward(cache):\n    while True:\n        pass\n",
    "hangs in verify": f"def verify({ARGUMENTS}):\n    while True:\n        pass\n",
}
"""Each takes seconds, so few of these are tried."""

FUNCTIONS = ("backward", "torch_forward_backward", "verify")


def with_tail(tail: str) -> Callable[[str], str]:
    """Return what puts lines at the end of a file."""
    return lambda source: f"{source}\n\n{tail}"


def without(function: str) -> Callable[[str], str]:
    """Return what takes a function out of a file."""

    def cut(source: str) -> str:
        lines = source.splitlines(keepends=True)
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                assert node.end_lineno is not None
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                return "".join(lines[: first - 1] + lines[node.end_lineno :])
        return source

    return cut


def lesser(bases: Sequence[tuple[str, str]], count: int) -> Iterator[Relation]:
    """Yield some of the bases (name, source), each made less in one way."""
    rng = random.Random(SEED)
    ways = {name: with_tail(tail) for name, tail in WAYS.items()}
    ways |= {f"no {name}": without(name) for name in FUNCTIONS}
    rare = {name: with_tail(tail) for name, tail in HANGS.items()}
    for number in range(count):
        name, base = rng.choice(bases)
        way = rng.choice(sorted(rare if number % 50 == 0 else ways))
        worse = (rare | ways)[way](base)
        if worse != base:
            yield Relation(f"{name}, {way}", base, worse)


# ── one mistake, and another ─────────────────────────────────────────────────


def doubled(workshop: Workshop, singles: Sequence[Mutant], count: int) -> Iterator[Relation]:
    """Yield pairs of mistakes against each of them, and these against what is right."""
    alone = {mutant.mistakes[0]: mutant for mutant in singles}
    used: set[str] = set()
    for pair in workshop.pairs(list(singles), count):
        for one in pair.mistakes:
            base = alone[one]
            yield Relation(f"{pair.name} against {one.code}", base.source, pair.source)
            if base.name not in used:
                used.add(base.name)
                yield Relation(base.name, workshop.styles[one.style], base.source)


# ── grading ──────────────────────────────────────────────────────────────────


class Marker:
    """Grades each source once, two at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.known: dict[str, Outcome] = {}

    def grade(self, source: str) -> Outcome:
        """Return the outcome of a source, anew."""
        file = SourceFile("solution.py", source.encode())
        result: Result = self._engine.grade(assemble("mutant", "mutant", Read((file,), ())))
        if result.fault:
            raise SystemExit(f"a fault of the grader: {result.fault}\n{source}")
        checks = result.grade.checks
        passing = frozenset(c.id for c in checks if c.status is CheckStatus.PASS)
        return Outcome(result.grade.score, result.grade.max_score, passing)

    def grade_all(self, sources: Sequence[str]) -> None:
        """Grade what is not known yet."""
        fresh = [s for s in dict.fromkeys(sources) if s not in self.known]
        with ThreadPoolExecutor(2) as pool:
            self.known |= dict(zip(fresh, pool.map(self.grade, fresh), strict=True))

    def rises(self, relation: Relation) -> tuple[Outcome, Outcome] | None:
        """Return both outcomes where the worse source scores higher."""
        base, worse = self.known[relation.base], self.known[relation.worse]
        if worse.score > base.score + ROUNDING and CLOCKED in base.passing ^ worse.passing:
            base, worse = self.grade(relation.base), self.grade(relation.worse)
        return (base, worse) if worse.score > base.score + ROUNDING else None


@dataclass
class Tally:
    """What came of the relations looked at."""

    looked_at: int = 0
    violations: int = 0
    undone: int = 0
    by_clock: int = 0

    def add(self, relation: Relation, rise: tuple[Outcome, Outcome] | None) -> None:
        """Count one relation, and print it where the score rises."""
        self.looked_at += 1
        if rise is None:
            return
        base, worse = rise
        gained = sorted(worse.passing - base.passing)
        if gained == [CLOCKED]:
            self.by_clock += 1
        elif gained:
            self.undone += 1
        else:
            self.violations += 1
        title = f"undone ({', '.join(gained)})" if gained else "VIOLATION"
        print(f"{title}: {relation.name}: {base.score:.3f} -> {worse.score:.3f}", flush=True)

    def __str__(self) -> str:
        return (
            f"{self.looked_at} relations, {self.violations} violations, {self.undone} in which one "
            f"mistake undid another in numbers, {self.by_clock} decided by the clock"
        )


def main() -> None:
    """Grade, compare, and print the figures."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--pairs", type=int, default=PAIRS, help="mutants with two mistakes")
    words.add_argument("--lesser", type=int, default=LESSER, help="answers that are made less")
    words.add_argument("--per-code", type=int, default=PER_CODE, help="mutants of each mistake")
    words.add_argument("--composed", action="store_true", help="mutants of composed solutions")
    words.add_argument("--seed", type=int, default=SEED, help="the seed of the examination")
    asked = words.parse_args()
    started = time.perf_counter()
    styles = {p.stem: p.read_text() for p in sorted(STYLES.glob("*.py"))}
    workshop = Workshop({v.name: v.source for v in variants()} if asked.composed else styles)
    singles = workshop.singles(asked.per_code)
    relations = list(doubled(workshop, singles, asked.pairs))
    bases = [*workshop.styles.items(), *((m.name, m.source) for m in singles)]
    relations += lesser(bases, asked.lesser)
    print(f"{len(relations)} relations made in {time.perf_counter() - started:.0f} s", flush=True)
    codes = [kind.code for kind in KINDS]
    rubric = load_rubric(bundled("rubrics") / "onsite.yaml", [c.id for c in ALL_CHECKS], codes)
    tally = Tally()
    with Zygotes() as zygotes:
        marker = Marker(Engine(rubric, Settings(seed=asked.seed), zygotes))
        for first in range(0, len(relations), 100):
            some = relations[first : first + 100]
            marker.grade_all([s for r in some for s in (r.base, r.worse)])
            for relation in some:
                tally.add(relation, marker.rises(relation))
    maxima = {outcome.of for outcome in marker.known.values()}
    print(f"{len(marker.known)} sources graded, out of {sorted(maxima)} points")
    print(f"{tally}; {time.perf_counter() - started:.0f} s in all")


if __name__ == "__main__":
    main()
