"""An exam: the cases of one run and what is expected on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.problem.cases import make_cases
from grader.problem.compare import limit, scale
from grader.problem.stacks import Stack, StackAnswers, make_stacks
from grader.records import TENSORS, Array, Case


@dataclass(frozen=True, slots=True)
class Expected:
    """The oracle's arrays for one case; see `oracle.expected` for names and shapes."""

    case: Case
    values: Mapping[str, Array]
    _limits: dict[np.dtype[Any], float] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, name: str) -> Array:
        return self.values[name]

    def limit(self, dtype: np.dtype[np.floating] | None = None) -> float:
        """The largest relative error of a right answer here."""
        dtype = dtype or self.case.X.dtype
        if dtype not in self._limits:  # asked for each value of each submission
            self._limits[dtype] = limit(self.case, self.values["Z2"], dtype)
        return self._limits[dtype]

    def error(self, name: str, got: Array) -> float:
        """`max|got - expected| / scale`; NaN when `got` has one. Shapes must be equal."""
        want = self.values[name]
        if got.shape != want.shape:
            raise ValueError(f"{name}: {got.shape} against {want.shape}")
        with np.errstate(all="ignore"):
            return float(np.abs(got - want).max(initial=0.0) / scale(name, want, self.case))


@dataclass(frozen=True, slots=True)
class Paper:
    """One run's questions: the cases, and a direction per tensor for the central differences.

    `stacks` are for the reusable layers, where those are handed in. `noise` seeds the
    children's random generators; unlike `seed` it is no secret.
    """

    seed: int
    noise: int
    cases: Mapping[str, Case]
    directions: Mapping[str, Array]
    stacks: Mapping[str, Stack] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exam:
    """A paper with its answers.

    `reference_seconds` is the reference's time at the realistic size: forward, backward.
    """

    paper: Paper
    expected: Mapping[str, Expected]
    reference_seconds: tuple[float, float]
    stacks: Mapping[str, StackAnswers] = field(default_factory=dict)


def set_paper(seed: int) -> Paper:
    """The questions of `seed`: the same on any machine."""
    cases = make_cases(seed)
    rng = np.random.default_rng([seed, 1])
    directions = {t: rng.normal(size=getattr(cases["primes"], t).shape) for t in TENSORS}
    noise = int(rng.integers(1 << 31))
    return Paper(seed, noise, cases, directions, make_stacks(seed))
