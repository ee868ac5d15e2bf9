"""One way to call a check: one run that is watched, and runs that are spoiled (child's side)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.observe import coerce
from grader.observe.differencing.finding import STEP, Way
from grader.observe.differencing.watching import Points, Watcher, slopes
from grader.observe.verifying import saying
from grader.observe.verifying.examination import ROWS, row
from grader.observe.verifying.saying import Said
from grader.observe.verifying.spoiling import Array, Run, Sight, known
from grader.observe.verifying.subject import ARGUMENTS, Subject
from grader.observe.verifying.surmise import Corruption, spoiled, without_mask

TENSORS = coerce.TENSORS
UNEQUAL = 1e-5
"""Of the largest entry: a gradient that is further from the slopes of its own loss is wrong."""

FAULT = 1e-4
"""A relative error above which a number may mean a wrong gradient; a rough step gives less."""

MANY = 200
"""Entries beyond which nobody waits for all slopes."""

PRINTED = re.compile(r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?", re.IGNORECASE)
TOLD = 1e-3
"""A printed number that differs by more than this is another number."""


@dataclass
class Bench:
    """What all ways of calling share: who is asked, the plans, the clock, and the reply."""

    driver: Any
    subject: Subject
    watcher: Watcher
    plans: Mapping[str, Sequence[Corruption]]
    until: float
    slowest: float = 0.0
    rows: list[str] = field(default_factory=list)
    arrays: dict[str, Any] = field(default_factory=dict)

    def tell(self, *words: object) -> None:
        """Add a row to the reply."""
        if len(self.rows) < ROWS:
            self.rows.append(row(*words))

    @property
    def in_time(self) -> bool:
        """Whether another run would end before the time is up."""
        return time.monotonic() + self.slowest < self.until

    def attempt(self, function: Callable[..., Any], run: Run, arguments: Any) -> Said:
        """One run of `function`."""
        self.subject.function = function
        started = time.monotonic()
        said = self.subject.attempt(run, arguments)
        self.slowest = max(self.slowest, time.monotonic() - started)
        return said

    def missed(self, tensor: str) -> bool:
        """Whether a trial of the tensor was not refused."""
        rows = (line.split("\t") for line in self.rows if line.startswith("trial\t"))
        return any(words[4] == tensor and words[5] in ("accepted", "absent") for words in rows)


class Session:
    """One way to call a check of the network, on one set of inputs."""

    def __init__(self, bench: Bench, way: Way, arguments: list[Array]) -> None:
        self.bench, self.arguments = bench, arguments
        self.inputs = dict(zip(ARGUMENTS, arguments, strict=True))
        self.points = Points({t: self.inputs[t] for t in TENSORS})
        bench.watcher.points = self.points
        self.sides = bench.subject.sides(arguments, ("hand",))
        self.points.seen.clear()  # a backward that differences is no check of another
        self.function = _taking_six(way)
        run = Run(learning=True)
        run.watch([known("hand", t, a) for t, a in self.sides.hand.items()])
        self.first = self._attempt(run)
        self.after = [a.copy() for a in bench.subject.given]
        bench.watcher.points = None
        self.origins = {t: self._origin(run, t) for t in TENSORS}

    def _attempt(self, run: Run) -> Said:
        return self.bench.attempt(self.function, run, self.arguments)

    def _origin(self, run: Run, tensor: str) -> int | None:
        """The place where the gradient first stands; in the hand-written side if it is there."""
        sights = list(run.sights.get(("hand", tensor), {}).values())
        own = [s for s in sights if s.number in self.sides.hand_places]

        def order(sight: Sight) -> int:
            return sight.order

        first = min(own or sights, key=order, default=None)
        return None if first is None else first.number

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
        bench.tell("base", "refused" if saying.objects(base) else "accepted")
        if self.first.numbers:
            bench.tell("number", max(self.first.numbers))
        if not saying.objects(base) and can:
            self._try("plan", TENSORS, base, unequal)
            late = [t for t in TENSORS if bench.missed(t)]
            self._try("more", late, base, unequal)

    # ── a right gradient ─────────────────────────────────────────────────────

    def _finds_fault(self) -> bool:
        """Whether it says, or its number says, that the candidate's own gradients are wrong."""
        return saying.objects(self.first) or any(not n <= FAULT for n in self.first.numbers)

    def _unequal(self) -> dict[str, Array]:
        """Gradients that are not the slopes of the candidate's own loss, with the slopes."""
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
            origin = self.origins[tensor]
            if tensor != without and origin is not None:
                run.swap(origin, known("hand", tensor, self.sides.hand[tensor]), truth)
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

    def _tried(
        self, tensor: str, corruption: Corruption, base: Said, unequal: Mapping[str, Array]
    ) -> tuple[str, Said | None]:
        """As a trial of `verify`: "accepted", or by what it was refused, or why it was neither."""
        origin = self.origins[tensor]
        if origin is None:
            absent = any(o is not None for o in self.origins.values())
            return ("absent" if absent or not self.points.seen else "unapplied"), None
        value = unequal.get(tensor, self.sides.hand[tensor])
        corruption = at_a_step(corruption, self.inputs[tensor], self.points.seen.get(tensor, ()))
        wrong = spoiled(value, corruption, self._mask(tensor, corruption))
        if wrong is None:
            return "inapplicable", None
        run = self._run(unequal, without=tensor)
        run.swap(origin, known("hand", tensor, self.sides.hand[tensor]), wrong)
        run.only = frozenset(base.truths)
        said = self._attempt(run)
        if tensor not in run.swapped:
            return "unapplied", None
        return refused(base, said) or "accepted", said

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


def _printed(said: Said) -> Iterator[float]:
    return (float(match[0]) for match in PRINTED.finditer(said.heard))
