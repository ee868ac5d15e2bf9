"""The forward hypotheses of a paper, what loss each predicts, and which fit what was seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from grader.defects.explanation import (
    CLOSE,
    HUGE,
    ORDINARY,
    SMALL,
    Culprit,
    Outputs,
    is_plain,
    same,
)
from grader.defects.table import FORWARD_ROWS, with_own_log
from grader.problem import Paper
from grader.problem.network import FORWARD_STEPS, Fault, Flow, Shows, forward, resumed
from grader.records import Array

Core = tuple[Fault, ...]
"""The faults of one forward hypothesis."""

UNSTABLE = [f for f in FORWARD_ROWS if f.step == "shift" and f.shows is Shows.EXTREMES]
GUARDS = [f for f in FORWARD_ROWS if f.step == "picked" and f.shows is not Shows.ALWAYS]
KNOWN = (*UNSTABLE, *GUARDS)
"""Shifts and logs that are lost on huge logits."""


@dataclass(frozen=True)
class Forward:
    """One explanation of the losses; `amount` is its family's parameter, 0 without one.

    `stable` says that it holds on huge logits too.
    """

    faults: Core = ()
    amount: float = 0.0
    stable: bool = True

    @property
    def culprits(self) -> tuple[Culprit, ...]:
        return tuple(Culprit(f, (), self.amount if f.direction else 0.0) for f in self.faults)

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(f.code for f in self.faults)


class Predictions:
    """The forward hypotheses of one paper and what they predict; threads may share it.

    Nothing is computed before it is asked for, and nothing twice. A right submission
    asks for the reference alone; the tables of single faults and of pairs take 6 and
    60 ms, once a run, when the first submission needs them.
    """

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.flows: dict[tuple[int, ...], dict[str, Flow | None]] = {}
        self._tables: dict[str, _Table] = {}
        self._lock = threading.Lock()
        self._extras = list(_stability_variants())

    def flow(self, faults: Core, case: str) -> Flow | None:
        """Return the forward flow of `case` under `faults`; None where it raises."""
        cache = self.flows.setdefault(tuple(map(id, faults)), {})
        if case not in cache:
            try:
                cache[case] = forward(self.paper.cases[case], with_own_log(faults))
            except (ValueError, IndexError):
                cache[case] = None
        return cache[case]

    def forwards(self, losses: Outputs, close: float = CLOSE) -> list[Forward]:
        """Return the hypotheses that predict the losses, the best first; empty when none does."""
        with np.errstate(all="ignore"):
            for name in ("none", "single", "pair"):
                cores = [()] if name == "none" else self._table(name).candidates(losses, close)
                fits = []
                for core in cores:
                    amount = self._explains(core, losses, ORDINARY, close)
                    if amount is not None:
                        fits.append(self._on_huge(Forward(core, amount), losses, close))
                if fits:
                    return sorted(fits, key=lambda f: (not f.stable, len(f.codes)))
        return []

    def _table(self, name: str) -> _Table:
        with self._lock:
            if name not in self._tables:
                cores = _singles() if name == "single" else _pairs()
                self._tables[name] = _Table(cores, self)
            return self._tables[name]

    def _on_huge(self, plain: Forward, losses: Outputs, close: float) -> Forward:
        """The hypothesis with what is lost on huge logits besides, if something explains that."""
        for extra in self._extras:
            if any(e.step == c.step for e in extra for c in plain.faults):
                continue
            faults = (*plain.faults, *extra)
            if self._explains(faults, losses, HUGE, close, plain.amount) is not None:
                return Forward(faults, plain.amount)
        return Forward(plain.faults, plain.amount, stable=False)

    def _explains(
        self,
        faults: Core,
        losses: Outputs,
        cases: Sequence[str],
        close: float,
        amount: float | None = None,
    ) -> float | None:
        """The family's parameter (0 without one) if the faults predict `cases`, else None.

        Without a known `amount`, the first case gives it.
        """
        family = next((f for f in faults if f.direction is not None), None)
        for case in (c for c in cases if c in losses):
            flow, seen = self.flow(faults, case), losses.get(case)
            if flow is None or family is None or seen is None:
                if not same(None if flow is None else flow["loss"], seen, close):
                    return None
                continue
            assert family.direction is not None
            direction = np.asarray(family.direction(flow))
            if seen.shape != flow["loss"].shape:
                return None
            if amount is None:
                amount = _parameter(seen - flow["loss"], direction)
                if not close <= abs(amount) < 1e9 or is_plain(family, amount, close):
                    return None  # no term at all, or a constant that is a plain sum
            if not same(np.asarray(flow["loss"] + amount * direction), seen, close):
                return None
        return amount or 0.0


def _parameter(gap: Array, direction: Array) -> float:
    """t where gap = t · direction; NaN when the direction vanishes."""
    return float(np.mean(gap / direction))


# ── the hypotheses ───────────────────────────────────────────────────────────


def _core_rows() -> list[Fault]:
    """Rows that show on ordinary input. A guard in the log may, or may not."""
    return [f for f in FORWARD_ROWS if f.shows is not Shows.EXTREMES]


def _singles() -> list[Core]:
    """One fault; or an unstable shift, which shows at once where another would give another P."""
    rows = _core_rows()
    telling = [f for f in rows if f.step == "P" or f.probabilities is not None]
    return [*((f,) for f in rows), *product(UNSTABLE, telling)]


def _pairs() -> list[Core]:
    """Two faults of different steps, or of one step where the second is a mere factor."""
    few = [f for f in _core_rows() if f.pairs]
    pairs = [(a, b) for a, b in combinations(few, 2) if _go_together(a, b)]
    return sorted(pairs, key=lambda p: p[0].code != p[1].code)


def _go_together(a: Fault, b: Fault) -> bool:
    if a.step != b.step:
        return True
    return (a.scale is None) != (b.scale is None) and a.step == "loss" and a.code != b.code


def _stability_variants() -> Iterator[Core]:
    others = [f for f in FORWARD_ROWS if f.shows is Shows.EXTREMES and f not in KNOWN]
    yield ()
    yield from ((f,) for f in (*KNOWN, *others))
    yield from product(UNSTABLE, GUARDS)


# ── finding the few that fit among thousands ─────────────────────────────────


class _Table:
    """The losses that hypotheses predict on two cases, side by side.

    `losses` [cases, hypotheses] are the plain numbers, NaN for what is none; `shapes`
    are the shapes of arrays on the first case, None where it raises.
    """

    CASES = ("primes", "more_rows")

    def __init__(self, cores: Sequence[Core], predictions: Predictions) -> None:
        self.cores = list(cores)
        self.losses = np.full((2, len(self.cores)), np.nan)
        self.directions = np.zeros((2, len(self.cores)))
        self.shapes: list[tuple[int, ...] | None] = [()] * len(self.cores)
        with np.errstate(all="ignore"):
            for index, core in enumerate(self.cores):
                self._enter(index, core, predictions)

    def _enter(self, index: int, core: Core, predictions: Predictions) -> None:
        family = next((f for f in core if f.direction is not None), None)
        for row, case in enumerate(self.CASES if family else self.CASES[:1]):
            flow = _quickly(core, case, predictions)
            if flow is None or flow["loss"].shape != ():
                self.shapes[index] = None if flow is None else flow["loss"].shape
                return
            self.losses[row, index] = float(flow["loss"])
            if family is not None:
                assert family.direction is not None
                self.directions[row, index] = float(family.direction(flow))

    def candidates(self, losses: Outputs, close: float) -> list[Core]:
        """Return the hypotheses that fit on the first case, and families that fit on both."""
        seen = losses.get(self.CASES[0])
        if seen is None or seen.shape != ():
            shape = None if seen is None else seen.shape
            return [c for c, s in zip(self.cores, self.shapes, strict=True) if s == shape]
        first, more = float(seen), losses.get(self.CASES[1])
        second = float(more) if more is not None and more.shape == () else np.nan
        with np.errstate(all="ignore"):
            sizes = np.maximum(np.abs(self.losses), SMALL)
            fits = np.abs(self.losses[0] - first) <= close * sizes[0]
            amounts = (first - self.losses[0]) / self.directions[0]
            gaps = np.abs(self.losses[1] + amounts * self.directions[1] - second)
            families = gaps <= 10 * close * np.maximum(sizes[1], abs(second))
            odd = ~np.isfinite(self.losses[0]) if not np.isfinite(first) else False
        return [self.cores[i] for i in np.flatnonzero(fits | families | odd)]


def _quickly(core: Core, case: str, predictions: Predictions) -> Flow | None:
    """A flow of one or two faults, the second on top of the first one's flow."""
    if len(core) == 1:
        return predictions.flow(core, case)
    first, second = sorted(core, key=lambda f: FORWARD_STEPS.index(f.step))
    begun = predictions.flow((first,), case)
    if begun is None:
        return None
    try:
        return resumed(begun, with_own_log(core), second.step)
    except (ValueError, IndexError):
        return None
