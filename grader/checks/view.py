"""What the checks look at: the exam, the observations, and how the two compare."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from grader.errors import HarnessError
from grader.observe.difference_check import DifferenceCheck
from grader.observe.naming import Namer, known_tensors
from grader.observe.reading import NamedTrace, read_names
from grader.observe.trace import Trace
from grader.observe.verification import Verification
from grader.problem import Exam, Expected
from grader.problem.compare import SAFETY
from grader.records import (
    TENSORS,
    Array,
    CheckStatus,
    Ended,
    Evidence,
    Mismatch,
    Observation,
    Observations,
)
from grader.records.finding import UNANSWERED

FACTORS = ("1", "B", "1/B", "1/C", "1/(B·C)", "-1", "-B")
"""Constant factors by which an answer may be off without being wrong in anything else."""

BREAKS = (Mismatch.NOT_FINITE, Mismatch.NOTHING, *UNANSWERED)
"""Mismatches that show whatever else is wrong with a value."""

T = TypeVar("T")


def factor_value(name: str, sizes: Mapping[str, int]) -> float:
    """The number that a factor's name stands for at the given sizes."""
    B, C = float(sizes["B"]), float(sizes["C"])
    values = {"1": 1.0, "B": B, "1/B": 1 / B, "1/C": 1 / C, "1/(B·C)": 1 / (B * C)}
    values |= {"-1": -1.0, "-B": -B}
    return values[name]


def number(value: float) -> str:
    """A number for people: five significant digits, `nan` and `inf` as such."""
    return f"{value:.5g}"


def symbols(shape: tuple[int, ...], sizes: Mapping[str, int]) -> str:
    """A shape in the problem's letters, where a size names exactly one: `[H, D]`, `[5, H]`."""
    names = {n: [s for s, v in sizes.items() if v == n] for n in shape}
    letters = [names[n][0] if len(names[n]) == 1 and n > 1 else str(n) for n in shape]
    return f"[{', '.join(letters)}]" if shape else "a scalar"


@dataclass(frozen=True)
class View:
    """One submission's observations beside what was expected of it.

    `trace` is what every expression of the NumPy part was; the child's word, and so
    no ground for a verdict on numbers. `verification` and `differences` are how the candidate's
    own verification and finite-difference check took gradients that were spoiled.
    """

    exam: Exam
    observations: Observations
    trace: Trace = field(default_factory=Trace, compare=False)
    verification: Verification = field(default_factory=Verification, compare=False)
    differences: DifferenceCheck = field(default_factory=DifferenceCheck, compare=False)
    _factors: dict[tuple[str, str], str | None] = field(default_factory=dict, compare=False)
    _kept: dict[str, Any] = field(default_factory=dict, compare=False)

    def expected(self, case: str) -> Expected:
        return self.exam.expected[case]

    @cached_property
    def named(self) -> NamedTrace:
        """The trace with its values named by the tensors that are right there; read once."""
        return self.names_of(self.trace)

    def names_of(self, trace: Trace) -> NamedTrace:
        """The same for another trace, which was taken on `primes` like this one."""
        return read_names(trace, self.namer)

    @cached_property
    def namer(self) -> Namer:
        """Names what is right on `primes`, the traced case."""
        expected = self.expected("primes")
        return Namer(known_tensors(expected), expected.case.sizes)

    def step(self, name: str) -> Observation:
        """The observation of a step. Raises `HarnessError` when it failed by our fault."""
        observation = self.observations[name]
        if observation.ended is Ended.HARNESS:
            raise HarnessError(f"{name}: {observation.error}")
        return observation

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What `make` gives, made at the first call only: for what several checks look at."""
        if key not in self._kept:
            self._kept[key] = make()
        made: T = self._kept[key]
        return made

    # ── comparing one array ──────────────────────────────────────────────────

    def value(
        self, step: str, case: str, name: str, *, factor: str = "1", single: bool = False
    ) -> Evidence:
        """Whether `name` of `step` equals the oracle's on `case`, times `factor`.

        `loss` and gradients by their tensor (`W1` is compared with `dW1`). Axes
        of length one do not matter here; that is what the shape checks are for.
        `single` compares at float32's precision.
        """
        expected, label = self.expected(case), "loss" if name == "loss" else f"d{name}"
        want = expected[label] * factor_value(factor, expected.case.sizes)
        observation = self.step(step)
        got = observation.arrays.get(name)
        wanted = _summary(want)
        if not observation.ok or got is None:
            return Evidence(
                label,
                wanted,
                trouble(observation, label),
                case,
                tensor=name,
                mismatch=failure(observation),
            )
        if np.squeeze(got).shape != np.squeeze(want).shape:
            sizes = expected.case.sizes
            shapes = f"shape {symbols(want.shape, sizes)}", f"shape {symbols(got.shape, sizes)}"
            return Evidence(label, *shapes, case, tensor=name, mismatch=Mismatch.SHAPE)
        dtype = np.dtype(np.float32 if single else expected.case.X.dtype)
        got = got.reshape(want.shape)
        size = max(float(np.abs(want).max(initial=0.0)), 1.0 / expected.case.sizes["B"])
        with np.errstate(all="ignore"):
            error = float(np.abs(got.astype(np.float64) - want).max(initial=0.0)) / size
        ok = error <= expected.limit(dtype)  # NaN is never <= anything
        ratio = proportion(got, want)
        observed = _summary(got) if ok else f"{_summary(got)} (off by {error:.2g} of its size)"
        return Evidence(
            label,
            wanted,
            observed,
            case,
            "" if ratio is None else number(ratio),
            CheckStatus.of(ok),
            tensor=name,
            mismatch=Mismatch.VALUE if np.isfinite(error) else Mismatch.NOT_FINITE,
            numbers=(error,),
        )

    # ── precision ────────────────────────────────────────────────────────────

    def in_single(self, part: str, case: str, name: str) -> bool:
        """Whether a value of the PyTorch part was computed in float32, whatever its dtype.

        Its limit lets a leaky ReLU's loss pass on some seeds, so it is for those alone.
        """
        if part != "torch":
            return False
        got = self.step(f"{part}/{case}").arrays.get(name)
        return got is not None and (_is_single(got) or self._works_in_single)

    @cached_property
    def _works_in_single(self) -> bool:
        """Whether a gradient came back in float32, or is just as accurate as that would be."""
        expected, came = self.expected("primes"), self.step("torch/primes").arrays
        rounding = expected.limit(np.dtype(np.float32)) / SAFETY
        for tensor in TENSORS:
            got, name = came.get(tensor), f"d{tensor}"
            if got is None or got.shape != expected[name].shape:
                continue
            if _is_single(got) or expected.limit() < expected.error(name, got) <= rounding:
                return True
        return False

    # ── factors ──────────────────────────────────────────────────────────────

    def factor(self, part: str, name: str) -> str | None:
        """The constant factor by which `name` is off on `primes` and `more_rows`; None if none.

        So the checks of other concerns can look past a factor that has its own check.
        """
        if (part, name) not in self._factors:
            self._factors[part, name] = self._find_factor(part, name)
        return self._factors[part, name]

    def _find_factor(self, part: str, name: str) -> str | None:
        for factor in FACTORS:
            lines = (
                self.value(
                    f"{part}/{case}",
                    case,
                    name,
                    factor=factor,
                    single=self.in_single(part, case, name),
                )
                for case in ("primes", "more_rows")
            )
            if all(line.verdict is CheckStatus.PASS for line in lines):
                return factor
        return None


def _is_single(array: Array) -> bool:
    """Whether every value is a float32, as float64 arithmetic gives by no chance."""
    with np.errstate(all="ignore"):
        return bool(array.any()) and np.array_equal(array, array.astype(np.float32), equal_nan=True)


def proportion(got: Array, want: Array) -> float | None:
    """r where got = r · want to six digits, else None."""
    with np.errstate(all="ignore"):
        g, w = got.astype(np.float64).ravel(), np.asarray(want, np.float64).ravel()
        norm = float(w @ w)
        if g.shape != w.shape or norm == 0.0:
            return None
        r = float(g @ w) / norm
        residual = float(np.abs(g - r * w).max())
        close = residual <= 1e-6 * float(np.abs(g).max())
    return r if close and r != 0.0 else None


def trouble(observation: Observation, label: str) -> str:
    """In a few words, why a step gave no `label`."""
    words = {
        Ended.MISSING: "the function is not defined",
        Ended.TIMEOUT: "no answer before the time was up",
        Ended.NOT_RUN: "not run: " + (observation.error or "the process had ended before"),
        Ended.RAISED: f"raised {observation.error}",
        Ended.BAD_RETURN: observation.error,
        Ended.OK: "not returned",
    }
    if observation.ended is Ended.OK:
        return observation.problems.get(label.removeprefix("d")) or words[Ended.OK]
    return words.get(observation.ended, f"{observation.ended}: {observation.error}")


def failure(observation: Observation) -> Mismatch:
    """How a step failed that gave no value."""
    if observation.ended is Ended.RAISED:
        return Mismatch.RAISED
    unanswered = (Ended.TIMEOUT, Ended.NOT_RUN, Ended.CRASH)
    return Mismatch.NO_ANSWER if observation.ended in unanswered else Mismatch.NOTHING


def same_again(what: str, first: Observation, again: Observation) -> Evidence:
    """Whether an array of two observations of one call is the same, but for a last bit."""
    a, b = first.arrays.get(what), again.arrays.get(what)
    if a is None or b is None:
        lacking = again if b is None else first
        words, mismatch = trouble(lacking, what), failure(lacking)
        return Evidence(what, "the same as before", words, tensor=what, mismatch=mismatch)
    alike = a.shape == b.shape
    if np.array_equal(a, b) or (alike and np.allclose(a, b, rtol=1e-12, atol=0.0, equal_nan=True)):
        return Evidence(
            what, "the same as before", "the same", "primes", verdict=CheckStatus.PASS, tensor=what
        )
    with np.errstate(all="ignore"):
        gap = float(np.abs(a - b).max(initial=0.0)) if alike else float("nan")
    return Evidence(what, "the same as before", f"differs by {number(gap)}", "primes", tensor=what)


def _summary(array: Array) -> str:
    """A scalar as a number, an array by its largest magnitude."""
    if array.size == 1:
        return number(float(array.reshape(-1)[0]))
    if not array.size:
        return f"empty, shape {list(array.shape)}"
    largest = float(np.abs(array).max())
    if not math.isfinite(largest):
        count = int((~np.isfinite(array)).sum())
        return f"{count} of {array.size} entries are not finite"
    return f"max |·| {number(largest)}"
