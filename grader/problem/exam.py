"""An exam: the cases of one run and what is expected on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.problem.cases import make_cases
from grader.problem.compare import error, limit, natural_size
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
        """Return the largest relative error of a right answer, in `dtype` (default: X's)."""
        dtype = dtype or self.case.X.dtype
        if dtype not in self._limits:  # asked for each value of each submission
            largest = float(np.abs(self.values["Z2"]).max())
            self._limits[dtype] = limit(sum(self.case.sizes.values()), largest, dtype)
        return self._limits[dtype]

    def natural_size(self, name: str) -> float:
        """Return the least size that an error of a tensor is measured against."""
        return natural_size(name, self.case.sizes["B"])

    def error(self, name: str, got: Array, factor: float = 1.0) -> float:
        """Return the relative error of `got` as `factor` times a tensor; NaN when it has one.

        Raises `ValueError` where the shapes differ.
        """
        want = self.values[name] * factor
        if got.shape != want.shape:
            raise ValueError(f"{name}: {got.shape} against {want.shape}")
        return error(got, want, self.natural_size(name))


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
    """Return the questions of `seed`: the same on any machine."""
    cases = make_cases(seed)
    rng = np.random.default_rng([seed, 1])
    directions = {t: rng.normal(size=getattr(cases["primes"], t).shape) for t in TENSORS}
    noise = int(rng.integers(1 << 31))
    return Paper(seed, noise, cases, directions, make_stacks(seed))
