"""What the checks look at: the exam, the observations, and how the two compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from grader.errors import HarnessError
from grader.observe.difference_check import DifferenceCheck
from grader.observe.naming import Namer, known_tensors
from grader.observe.plan import REALISTIC
from grader.observe.reading import NamedTrace, read_names
from grader.observe.trace import Trace
from grader.observe.verification_record import Verification
from grader.problem import Exam, Expected
from grader.problem.compare import (
    FACTORS,
    FLOAT32,
    SAFETY,
    factor_value,
    in_single,
    proportion,
    repeated,
)
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
from grader.source.work import WorkPlace

T = TypeVar("T")


@dataclass(frozen=True)
class View:
    """One submission's observations beside what was expected of it.

    `trace` is what every expression of the NumPy part was; the child's word, and so
    no ground for a verdict on numbers. `verification` and `differences` are how the candidate's
    own verification and finite-difference check took gradients that were spoiled. `work` is
    where the source computes.
    """

    exam: Exam
    observations: Observations
    trace: Trace = field(default_factory=Trace, compare=False)
    verification: Verification = field(default_factory=Verification, compare=False)
    differences: DifferenceCheck = field(default_factory=DifferenceCheck, compare=False)
    work: tuple[WorkPlace, ...] = field(default=(), compare=False)
    _memory: dict[Any, Any] = field(default_factory=dict, compare=False)

    def expected(self, case: str) -> Expected:
        """Return the oracle's answers on a case."""
        return self.exam.expected[case]

    @cached_property
    def named(self) -> NamedTrace:
        """Return the trace with its values named by the tensors that are right there; read once."""
        return self.names_of(self.trace)

    def names_of(self, trace: Trace) -> NamedTrace:
        """Return the same for another trace, which was taken on `primes` like this one."""
        return read_names(trace, self.namer)

    @cached_property
    def namer(self) -> Namer:
        """Return what names the values that are right on `primes`, the traced case."""
        expected = self.expected("primes")
        return Namer(known_tensors(expected), expected.case.sizes)

    def step(self, name: str) -> Observation:
        """Return the observation of a step. Raises `HarnessError` when it failed by our fault."""
        observation = self.observations[name]
        if observation.ended is Ended.HARNESS:
            raise HarnessError(f"{name}: {observation.error}")
        return observation

    def uncalled(self, part: str) -> tuple[WorkPlace, ...]:
        """Return the code of a part that computes and never ran; none where the part was called.

        `part` is "forward", "backward" or "torch".
        """
        if self.observations[f"{part}/primes"].ended is not Ended.MISSING:
            return ()
        ran = [(value.file, value.line) for value in self.trace.values]
        torch = part == "torch"
        places = [place for place in self.work if place.torch is torch]
        if part == "backward":
            places = [place for place in places if place.transposes]
        return tuple(place for place in places if not any(place.holds(*where) for where in ran))

    def flooded(self, *calls: str) -> bool:
        """Return whether a step of these calls was ended for what it printed.

        What is not run after that says nothing about the code.
        """
        steps = self.observations.runs.items()
        return any(
            run.ended is Ended.OUTPUT_LIMIT and name.partition("/")[0] in calls
            for name, run in steps
        )

    def once(self, key: object, make: Callable[[], T]) -> T:
        """Return what `make` gives, made at the first call only: several checks look at it."""
        if key not in self._memory:
            self._memory[key] = make()
        made: T = self._memory[key]
        return made

    # ── comparing one array ──────────────────────────────────────────────────

    def value(self, part: str, case: str, name: str, factor: str = "1") -> Evidence:
        """Return whether `name` of a part equals the oracle's on `case`, times `factor`.

        `part` is "forward", "backward" or "torch"; its float32 answers are compared as such.
        """
        single = self.in_single(part, case, name)
        return self.compared(f"{part}/{case}", case, name, factor, single=single)

    def compared(
        self, step: str, case: str, name: str, factor: str = "1", *, single: bool = False
    ) -> Evidence:
        """Return the same of any step; `single` compares at float32's precision.

        `loss` and gradients by their tensor (`W1` is compared with `dW1`). Axes
        of length one do not matter here; that is what the shape checks are for.
        """
        expected, label = self.expected(case), "loss" if name == "loss" else f"d{name}"
        sizes = expected.case.sizes
        times = factor_value(factor, sizes)
        want = expected[label] * times
        observation = self.step(step)
        got = observation.arrays.get(name)
        if not observation.ok or got is None:
            return absent(observation, label, _summary(want), case, tensor=name)
        if np.squeeze(got).shape != np.squeeze(want).shape:
            return misshapen(label, got, want, sizes, case, tensor=name)
        got = got.reshape(want.shape)
        error = expected.error(label, got, times)
        good = error <= expected.limit(FLOAT32 if single else None)  # NaN is never <= anything
        ratio = proportion(got, want)
        return Evidence(
            label,
            _summary(want),
            _summary(got) if good else f"{_summary(got)} (off by {error:.2g} of its size)",
            case,
            "" if ratio is None else number(ratio),
            CheckStatus.of(good),
            tensor=name,
            mismatch=mismatch_of(error),
            numbers=(error,),
        )

    def at_real_size(self, part: str, name: str) -> list[Evidence]:
        """Return whether `name` was right in the calls that are timed, as far as they came back."""
        prefix = f"{part}/{REALISTIC}/"
        steps = [n for n in self.observations.runs if n.startswith(prefix) and self.step(n).ok]
        return [self.compared(step, REALISTIC, name) for step in steps]

    def again(self, step: str, *names: str, other: str = "") -> list[Evidence]:
        """Return whether arrays of a step are the same in a second call, `other` or its repeat.

        Without `names`, all that either of the two gave.
        """
        first, second = self.step(step), self.step(other or f"{step}/again")
        known = [t for t in TENSORS if t in first.arrays or t in second.arrays]
        return [_same_again(name, first, second) for name in names or known]

    # ── precision ────────────────────────────────────────────────────────────

    def in_single(self, part: str, case: str, name: str) -> bool:
        """Return whether a value of the PyTorch part was computed in float32, in any dtype.

        Its limit lets a leaky ReLU's loss pass on some seeds, so it is for those alone.
        """
        if part != "torch":
            return False
        got = self.step(f"{part}/{case}").arrays.get(name)
        return got is not None and (in_single(got) or self._works_in_single)

    @cached_property
    def _works_in_single(self) -> bool:
        """Whether a gradient came back in float32, or is just as accurate as that would be."""
        expected, came = self.expected("primes"), self.step("torch/primes").arrays
        rounding = expected.limit(FLOAT32) / SAFETY
        for tensor in TENSORS:
            got, name = came.get(tensor), f"d{tensor}"
            if got is None or got.shape != expected[name].shape:
                continue
            if in_single(got) or expected.limit() < expected.error(name, got) <= rounding:
                return True
        return False

    # ── factors ──────────────────────────────────────────────────────────────

    def factor(self, part: str, name: str) -> str | None:
        """Return the constant factor by which `name` is off on `primes` and `more_rows`.

        None if there is none. So the checks of other concerns can look past a factor that has
        its own check.
        """
        return self.once((part, name), lambda: self._find_factor(part, name))

    def _find_factor(self, part: str, name: str) -> str | None:
        for factor in FACTORS:
            lines = (self.value(part, case, name, factor) for case in ("primes", "more_rows"))
            if all(line.good for line in lines):
                return factor
        return None


# ── evidence in words ────────────────────────────────────────────────────────


def number(value: float) -> str:
    """Return a number for people: five significant digits, `nan` and `inf` as such."""
    return f"{value:.5g}"


def symbols(shape: tuple[int, ...], sizes: Mapping[str, int]) -> str:
    """Return a shape in the problem's letters, where a size names exactly one: `[H, D]`."""
    names = {n: [s for s, v in sizes.items() if v == n] for n in shape}
    letters = [names[n][0] if len(names[n]) == 1 and n > 1 else str(n) for n in shape]
    return f"[{', '.join(letters)}]" if shape else "a scalar"


def trouble(observation: Observation, label: str) -> str:
    """Return in a few words why a step gave no `label`."""
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
    """Return how a step failed that gave no value."""
    if observation.ended is Ended.RAISED:
        return Mismatch.RAISED
    unanswered = (Ended.TIMEOUT, Ended.NOT_RUN, Ended.CRASH, Ended.OUTPUT_LIMIT)
    return Mismatch.NO_ANSWER if observation.ended in unanswered else Mismatch.NOTHING


def mismatch_of(error: float) -> Mismatch:
    """Return how a value of the right shape is wrong that is off by `error`."""
    return Mismatch.VALUE if np.isfinite(error) else Mismatch.NOT_FINITE


def absent(
    observation: Observation, what: str, expected: str, case: str = "", tensor: str = ""
) -> Evidence:
    """Return the line for what a step did not give."""
    words, mismatch = trouble(observation, what), failure(observation)
    return Evidence(what, expected, words, case, tensor=tensor, mismatch=mismatch)


def misshapen(
    what: str, got: Array, want: Array, sizes: Mapping[str, int], case: str, tensor: str = ""
) -> Evidence:
    """Return the line for an array of another shape."""
    wanted, words = (f"shape {symbols(array.shape, sizes)}" for array in (want, got))
    return Evidence(what, wanted, words, case, tensor=tensor, mismatch=Mismatch.SHAPE)


def _same_again(name: str, first: Observation, again: Observation) -> Evidence:
    """Whether an array of two observations of one call is the same, but for a last bit."""
    what, wanted = name, "the same as before"
    a, b = first.arrays.get(name), again.arrays.get(name)
    if a is None or b is None:
        return absent(again if b is None else first, what, wanted, tensor=name)
    if repeated(a, b):
        return Evidence(what, wanted, "the same", "primes", "", CheckStatus.PASS, name)
    with np.errstate(all="ignore"):
        gap = float(np.abs(a - b).max(initial=0.0)) if a.shape == b.shape else float("nan")
    return Evidence(what, wanted, f"differs by {number(gap)}", "primes", tensor=name)


def _summary(array: Array) -> str:
    """A scalar as a number, an array by its largest magnitude."""
    if array.size == 1:
        return number(float(array.reshape(-1)[0]))
    if not array.size:
        return f"empty, shape {list(array.shape)}"
    largest = float(np.abs(array).max())
    if not np.isfinite(largest):
        count = int((~np.isfinite(array)).sum())
        return f"{count} of {array.size} entries are not finite"
    return f"max |·| {number(largest)}"
