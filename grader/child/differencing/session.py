"""One way to call a check: one run that is watched, and runs that are spoiled (child's side)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.child import coerce
from grader.child.differencing.bench import Bench
from grader.child.differencing.finding import STEP, Way
from grader.child.differencing.watching import Points, slopes
from grader.child.verifying import saying
from grader.child.verifying.saying import Said
from grader.child.verifying.spoiling import Array, Run, Sight, known
from grader.child.verifying.subject import ARGUMENTS
from grader.child.verifying.surmise import Corruption, spoiled, without_mask

TENSORS = coerce.TENSORS
UNEQUAL = 1e-5
"""Of the largest entry: a gradient that is further from the slopes of its own loss is wrong."""

FAULT = 1e-4
"""A relative error above which a number may mean a wrong gradient; a rough step gives less."""

NOISE, GROWN = 1e-6, 10.0
"""What differences may be off by, and by how much more a printed error must grow to be one."""

SLIGHTLY = 0.01
"""Of the ladder of errors, the one that is always tried."""

VERDICTS = (saying.RETURN, saying.RAISE, saying.COMPARISON)
"""What refuses by a limit of its own."""

MANY = 200
"""Entries beyond which nobody waits for all slopes."""

PRINTED = re.compile(r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?", re.IGNORECASE)
TOLD = 1e-3
"""A printed number that differs by more than this is another number."""


@dataclass(frozen=True)
class Origin:
    """The place where a gradient first stands, by hand or as autograd gives it."""

    role: str
    number: int


class Session:
    """One way to call a check of the network, on one set of inputs.

    `whole`: it is a verification or a script, which may compare with autograd as well. There
    both sides are spoiled alike, so that only a comparison with differences can refuse.
    """

    def __init__(
        self, bench: Bench, way: Way, arguments: list[Array], *, whole: bool = False
    ) -> None:
        self.bench, self.arguments, self.whole = bench, arguments, whole
        self.inputs = dict(zip(ARGUMENTS, arguments, strict=True))
        self.points = Points({t: self.inputs[t] for t in TENSORS}, strict=whole)
        bench.watcher.points = self.points
        self.sides = bench.subject.sides(arguments, ("hand", "auto") if whole else ("hand",))
        self.steps_itself, self.prints_errors = bool(self.points.seen), False
        self.points.seen.clear()  # a backward that differences is no check of another
        self.function = _taking_six(way)
        run = Run(learning=True)
        for role, arrays in (("hand", self.sides.hand), ("auto", self.sides.auto)):
            run.watch([known(role, t, a) for t, a in arrays.items()])
        self.first = self._attempt(run)
        self.after = [a.copy() for a in bench.subject.given]
        bench.watcher.points = None
        self.origins = {t: list(self._origins(run, t)) for t in TENSORS}

    def _attempt(self, run: Run) -> Said:
        return self.bench.attempt(self.function, run, self.arguments)

    @property
    def steps(self) -> bool:
        """Whether it takes steps; in a `whole`, not by way of a backward that does."""
        return bool(self.points.seen) and not (self.whole and self.steps_itself)

    def _origins(self, run: Run, tensor: str) -> Iterator[Origin]:
        """By hand, in the hand-written side if it is there; then as autograd gives it."""
        sights = list(run.sights.get(("hand", tensor), {}).values())
        own = [s for s in sights if s.number in self.sides.hand_places]
        first = _first(own or sights)
        if first is not None:
            yield Origin("hand", first.number)
        theirs = list(run.sights.get(("auto", tensor), {}).values())
        apart = [s for s in theirs if s.number not in self.sides.hand_places]
        tensors = [s for s in apart if s.is_tensor]  # an array may be the differences themselves
        other = _first(tensors or [s for s in apart if s.number in self.sides.auto_places])
        if other is not None and other != first:
            yield Origin("auto", other.number)

    def told(self, *, alone: bool = False) -> None:
        """Rows and arrays about this way of calling, and the trials.

        `alone`: the inputs are the check's own, and are told as well.
        """
        bench = self.bench
        bench.arrays |= {f"points_{t}": np.array(kept) for t, kept in self.points.seen.items()}
        what = ("base", self.arguments) if alone else ("after", self.after)
        for name, array in zip(ARGUMENTS, what[1], strict=True):
            if alone or name != "y":
                bench.arrays[f"{what[0]}_{name}"] = coerce.as_array(array, name)
        unequal = self._unequal() if self._finds_fault() else {}
        base, run = self.first, self._run(unequal)
        if unequal:
            base = self._attempt(run)
        can = set(unequal) <= run.swapped
        bench.tell("equalised", bool(unequal), can)
        if self.whole and self._objects(base):
            return  # to autograd's gradients or to the loss, for all that is known
        bench.tell("base", "refused" if self._objects(base) else "accepted")
        if self.first.numbers and not self.whole:
            bench.tell("number", max(self.first.numbers))
        if not self._objects(base) and can:
            before = len(bench.rows)
            self._try("plan", TENSORS, base, unequal)
            late = [t for t in TENSORS if bench.missed(t)]
            self._try("more", late, base, unequal)
            if self.whole and not bench.refuses(before):
                del bench.rows[before:]  # it shows the differences, and compares nothing
            self._measure(base, unequal)

    # ── a right gradient ─────────────────────────────────────────────────────

    def _finds_fault(self) -> bool:
        """Whether it says, or its number says, that the candidate's own gradients are wrong."""
        return self._objects(self.first) or any(not n <= FAULT for n in self.first.numbers)

    def _objects(self, said: Said) -> bool:
        """Whether a run says no by itself; a script prints all sorts of things."""
        return saying.objects(said) if self.bench.subject.is_function else said.objects

    def _unequal(self) -> dict[str, Array]:
        """Gradients that are not the slopes of the candidate's own loss, with the slopes.

        In a `whole` those that are not autograd's, with autograd's.
        """
        if self.whole:
            return {t: self.sides.auto[t] for t in TENSORS if self.sides.differ(t)}
        forward = self.bench.driver._find("forward")
        if sum(a.size for a in self.arguments) > MANY:
            return {}

        def loss(*arguments: Array) -> Any:
            value, _ = coerce.pair(forward(*arguments), "loss, cache")
            return np.reshape(coerce.as_array(value, "loss"), -1)[0]

        try:
            found = dict(zip(ARGUMENTS, slopes(loss, self.arguments, STEP), strict=True))
        except Exception:  # without a loss there is nothing to hold them against
            return {}
        unequal = {}
        for tensor, mine in self.sides.hand.items():
            truth = found[tensor]
            limit = UNEQUAL * max(float(np.abs(truth).max(initial=0.0)), 1e-3)
            alike = mine.shape == truth.shape and np.abs(mine - truth).max(initial=0.0) <= limit
            if not alike:
                unequal[tensor] = truth
        return unequal

    def _run(self, unequal: Mapping[str, Array], *, without: str = "") -> Run:
        """A run in which every gradient is right, but for the tensor `without`."""
        run = Run()
        for tensor, truth in unequal.items():
            for origin in self.origins[tensor]:
                if tensor != without and origin.role == "hand":
                    run.swap(origin.number, known("hand", tensor, self.sides.hand[tensor]), truth)
        return run

    # ── wrong ones ───────────────────────────────────────────────────────────

    def _try(
        self, plan: str, tensors: Sequence[str], base: Said, unequal: Mapping[str, Array]
    ) -> None:
        for corruption in self.bench.plans[plan]:
            for tensor in tensors:
                if not self.bench.in_time:
                    return
                outcome, said = self._tried(tensor, corruption, base, unequal)
                place = ("", 0)
                if said is not None and (number := saying.flipped(base, said)) is not None:
                    place = self.bench.subject.place(number)
                words = (corruption.kind, corruption.amount, tensor, outcome, *place)
                self.bench.tell("trial", 0, *words)

    def _measure(self, base: Said, unequal: Mapping[str, Array]) -> None:
        """Between which two of the ladder's errors one scaled gradient is first refused.

        Where numbers are returned or printed there is no such limit: the reader draws it.
        """
        bench, low, high = self.bench, -1, len(self.bench.ladder)
        for tensor, said in bench.said(SLIGHTLY):
            if said in VERDICTS:
                high = bench.ladder.index(SLIGHTLY)
                break
            if said == "accepted" and bench.refuses(0, tensor):
                low = bench.ladder.index(SLIGHTLY)
                break
        else:
            return
        while high - low > 1 and bench.in_time:
            middle = (low + high) // 2
            corruption = Corruption("scale", 1.0 + bench.ladder[middle])
            outcome, _ = self._tried(tensor, corruption, base, unequal)
            low, high = (middle, high) if outcome == "accepted" else (low, middle)
        if high - low == 1:
            ends = (0.0, *bench.ladder, np.inf)[low + 1 : high + 2]
            bench.tell("tolerance", tensor, *ends)

    def _tried(
        self, tensor: str, corruption: Corruption, base: Said, unequal: Mapping[str, Array]
    ) -> tuple[str, Said | None]:
        """As a trial of `verify`: "accepted", or by what it was refused, or why it was neither."""
        origins = self.origins[tensor]
        if not origins:
            absent = any(self.origins.values())
            return ("absent" if absent or not self.points.seen else "unapplied"), None
        corruption = at_a_step(corruption, self.inputs[tensor], self.points.seen.get(tensor, ()))
        run = self._run(unequal, without=tensor)
        for origin in origins:
            own = (self.sides.hand if origin.role == "hand" else self.sides.auto)[tensor]
            value = unequal.get(tensor, own)
            wrong = spoiled(value, corruption, self._mask(tensor, corruption))
            if wrong is None:
                return "inapplicable", None
            run.swap(origin.number, known(origin.role, tensor, own), wrong)
        run.only = frozenset(base.truths)
        said = self._attempt(run)
        if tensor not in run.swapped:
            return "unapplied", None
        if not self.whole:
            return refused(base, said) or "accepted", said
        slightly = corruption.kind == "scale" and 1.0 < corruption.amount < 2.0
        grown = (slightly or self.prints_errors) and _has_grown(base, said)
        self.prints_errors = self.prints_errors or grown
        return saying.refused(base, said) or (saying.PRINT if grown else "accepted"), said

    def _mask(self, tensor: str, corruption: Corruption) -> Array | None:
        if corruption.kind != "mask":
            return None
        return without_mask(self.inputs, self.sides.hand).get(tensor)


def at_a_step(corruption: Corruption, base: Array, points: Sequence[Array]) -> Corruption:
    """Of `entry`, an entry that the check takes a step of: the nearest to the one asked for."""
    start = base.reshape(-1)
    moved = [
        int(index)
        for point in points
        if point.size == start.size
        for index in np.flatnonzero(point.reshape(-1) != start.astype(point.dtype))
    ]
    if corruption.kind != "entry" or not moved:
        return corruption
    wanted = corruption.amount * start.size
    nearest = min(moved, key=lambda index: abs(index - wanted))
    return Corruption("entry", (nearest + 0.5) / start.size)


def _first(sights: list[Sight]) -> Sight | None:
    return min(sights, key=lambda s: s.order, default=None)


def _taking_six(way: Way) -> Callable[..., Any]:
    def check(X: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> Any:
        return way(X, y, W1, b1, W2, b2)

    return check


def refused(before: Said, after: Said) -> str:
    """By what a spoiled gradient is refused; numbers that are printed are there to be read."""
    if by := saying.refused(before, after):
        return by
    old, new = list(_printed(before)), list(_printed(after))
    if len(old) != len(new) or any(
        not abs(a - b) <= TOLD * (1e-6 + abs(a)) for a, b in zip(old, new, strict=True)
    ):
        return saying.PRINT if not before.booleans else ""
    return ""


def _has_grown(before: Said, after: Said) -> bool:
    """Whether a printed number was nearly 0 and is no more.

    Where a gradient is 1 % off, that is an error; otherwise it may be an entry of the gradient.
    """
    old, new = list(_printed(before)), list(_printed(after))
    pairs = zip(old, new, strict=False)
    grown = (abs(a) <= FAULT and not abs(b) <= GROWN * max(abs(a), NOISE) for a, b in pairs)
    return len(old) == len(new) and any(grown)


def _printed(said: Said) -> Iterator[float]:
    return (float(match[0]) for match in PRINTED.finditer(said.heard))
