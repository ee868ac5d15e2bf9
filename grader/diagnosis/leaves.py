"""One tensor's gradient at a time: whether it follows from a flow, and what else explains it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grader.defects.explanation import Culprit, Outputs, is_plain, same
from grader.defects.table import LEAF_ROWS
from grader.problem.network import LEAVES, RIGHT, Fault, Flow, Formula
from grader.records import Array


@dataclass(frozen=True)
class Backward:
    """One explanation of the gradients, and what it costs; `left` is what it does not explain."""

    left: tuple[str, ...] = LEAVES
    found: tuple[Culprit, ...] = ()
    free: tuple[Fault, ...] = ()
    cost: float = float("inf")


@dataclass(frozen=True)
class Idea:
    """What one step of the pass may be: faults, and what is free with the loss in force."""

    found: tuple[Culprit, ...] = ()
    free: tuple[Fault, ...] = ()


class Branch:
    """The flows of one idea, made from those it stands on when a case is first asked for."""

    def __init__(
        self, source: Callable[[str], Flow | None], idea: Idea, step: Callable[..., None]
    ) -> None:
        self._source, self._idea, self._step = source, idea, step
        self._made: dict[str, Flow | None] = {}

    def __call__(self, case: str) -> Flow | None:
        if case not in self._made:
            below = self._source(case)
            flow = None if below is None else dict(below)
            try:
                if flow is not None:
                    self._step(flow, self._idea.found, self._idea.free)
            except (ValueError, IndexError):
                flow = None
            self._made[case] = flow
        return self._made[case]


class Leaves:
    """The gradients seen (tensor → case → array) on some cases.

    `own`: by tensor, what the gradient is that goes with the loss in force. `missing` are
    those that never came: what came back tells of them, not numbers.
    """

    def __init__(
        self,
        cases: Sequence[str],
        seen: Mapping[str, Outputs],
        own: Mapping[str, Fault],
        close: float,
    ) -> None:
        self.cases, self.seen, self.own, self.close = cases, seen, own, close
        self.missing = {t for t in LEAVES if all(seen[t].get(c) is None for c in cases)}

    def follows(self, leaf: str, flow: Flow) -> bool:
        if leaf in self.missing:
            return True
        case, own = self.cases[0], self.own.get(leaf)
        formulas = (RIGHT[leaf],) if own is None else (RIGHT[leaf], own.formula)
        return any(same(f(flow), self.seen[leaf].get(case), self.close) for f in formulas)

    def explained(
        self, branch: Branch, leaves: tuple[str, ...], prefer: frozenset[str]
    ) -> Backward:
        """Faults of the tensors' own, and tensors that have none which fits.

        Two codes may predict one tensor alike (a mean for a sum, a second 1/B):
        then the one that other tensors show as well is meant.
        """
        options: dict[str, list[Culprit]] = {}
        free = []
        for leaf in leaves:
            if leaf in self.missing or self._fits(branch, leaf, RIGHT[leaf]):
                continue  # what is missing is told by what came back, not by numbers
            own = self.own.get(leaf)
            if own is not None and self._fits(branch, leaf, own.formula):
                free.append(own)
            else:
                options[leaf] = self._local(branch, leaf)
        shown = Counter(f.fault.code for found in options.values() for f in found)
        shown.update({code: len(leaves) for code in prefer})
        best = [max(f, key=lambda o: shown[o.fault.code]) for f in options.values() if f]
        left = tuple(leaf for leaf, found in options.items() if not found)
        return Backward(left, tuple(best), tuple(free))

    def _fits(self, branch: Branch, leaf: str, formula: Formula) -> bool:
        for case in self.cases:
            flow = branch(case)
            if flow is None:
                return False
            try:
                predicted = np.asarray(formula(flow))
            except (ValueError, IndexError):
                return False
            if not same(predicted, self.seen[leaf].get(case), self.close):
                return False
        return True

    def _local(self, branch: Branch, leaf: str) -> list[Culprit]:
        """The tensor's own rows that predict it, the likeliest first."""
        found: list[Culprit] = []
        for row in LEAF_ROWS[leaf]:
            if any(f.fault.code == row.code for f in found) or not can_tell(row, self.cases):
                continue
            amount = 0.0
            if row.direction is not None:
                amount = self._amount(branch, leaf, row)
                if not abs(amount) > self.close or is_plain(row, amount, self.close):
                    continue  # NaN is never larger
            if self._fits(branch, leaf, along(row, amount)):
                found.append(Culprit(row, (leaf,), amount))
        return found

    def _amount(self, branch: Branch, leaf: str, row: Fault) -> float:
        """The parameter of a tensor's family on the first case; NaN where shapes differ."""
        flow, seen = branch(self.cases[0]), self.seen[leaf].get(self.cases[0])
        if flow is None or seen is None or row.direction is None:
            return float("nan")
        return projected(seen, row.formula(flow), row.direction(flow))


def can_tell(row: Fault, cases: Sequence[str]) -> bool:
    """Return whether the cases prove a row: a constant for B needs another B."""
    return not row.constant or len(cases) > 1


def along(row: Fault, amount: float) -> Formula:
    """Return a row's formula, with its family's parameter."""
    if row.direction is None:
        return row.formula
    base, direction = row.formula, row.direction
    return lambda f: base(f) + amount * direction(f)


def projected(seen: Array, base: Array, direction: Array) -> float:
    """t that brings base + t · direction nearest to what was seen; NaN where shapes differ."""
    norm = float((direction * direction).sum())
    if seen.shape != base.shape or not norm:
        return float("nan")
    return float(((seen - base) * direction).sum()) / norm
