"""The cheapest set of faults that predicts the gradients seen, under one forward hypothesis.

The search follows the graph instead of listing sets: a hypothesis on dZ2 is judged by
dW2 and db2, one on dZ1 by dW1, db1 and dX, and each of the five may have a fault of its
own. Hypotheses are ranked by how many tensors they leave wrong on the first case; what
fits there has to fit on all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import combinations, product

import numpy as np

from grader.defects.explanation import SIMILAR, SMALL, UNEXPLAINED, Culprit, Outputs, is_plain
from grader.defects.table import DH1_ROWS, DZ1_ROWS, DZ2_ROWS, P_ROWS
from grader.diagnosis.leaves import Backward, Branch, Idea, Leaves, can_tell, projected
from grader.diagnosis.passes import free_gates, free_leaves, free_tops, middle, own_top, top
from grader.problem.network import RIGHT, Fault, Flow

UPPER, LOWER = ("W2", "b2"), ("W1", "b1", "X")
REACHED = ("W1", "b1", "W2", "b2", "X")

MOST = 10_000
"""Flows that one search holds against what was seen. A sample takes 416 at the most, of 120 pairs
of mistakes one 681; numbers that are no gradients have taken 93,000, and 14 s of the judge's.
Counted, not timed: what is found must not depend on the machine."""

FREE = 0.01
"""What a step costs that differs without being a fault: less than any fault, more than none."""


class _Spent(Exception):
    """As much was tried as one search may try."""


class GradientSearch:
    """The gradients of one submission against the flows of one forward hypothesis.

    `flows`: by case, those on which the pass gave anything; `seen`: tensor → case → array;
    `faults` and `amount`: the hypothesis, and its family's parameter.
    """

    def __init__(
        self,
        flows: Mapping[str, Flow],
        seen: Mapping[str, Outputs],
        faults: Sequence[Fault],
        amount: float,
        close: float,
    ) -> None:
        self.flows, self.seen, self.close = flows, seen, close
        self.faults, self.amount = faults, amount
        self.cases = tuple(flows)
        self.leaves = Leaves(self.cases, seen, free_leaves(faults, amount), close)
        self.known = frozenset(f.code for f in faults)
        self.best = Backward()
        self.tried = 0

    def run(self) -> Backward:
        """Return the cheapest explanation, of those that `MOST` flows come to."""
        with np.errstate(all="ignore"), suppress(_Spent):
            for ideas in (self._tops(), self._pairs_of_tops()):
                if self._follow_all(ideas):
                    break
        return self.best

    # ── dZ2 ──────────────────────────────────────────────────────────────────

    def _tops(self) -> Iterator[Idea]:
        """Hypotheses on dZ2: right ones, then what is free, then one fault."""
        yield Idea()
        frees = free_tops(self.faults)
        yield from (Idea((), free) for free in frees)
        if (own := own_top(self.faults, self.amount)) is not None:
            yield Idea((), (own,))
        for row in (r for r in DZ2_ROWS if can_tell(r, self.cases)):
            yield from (Idea((Culprit(row, REACHED),), free) for free in ((), *frees))
        yield from (Idea((Culprit(row, REACHED),)) for row in P_ROWS)

    def _pairs_of_tops(self) -> Iterator[Idea]:
        """Two faults of dZ2: one and a factor, or one made from spoilt probabilities."""
        plain = [r for r in DZ2_ROWS if r.scale is None and r.direction is None]
        factors = [r for r in DZ2_ROWS if r.scale is not None]
        pairs = (
            *product(plain, factors),
            *((a, b) for a, b in combinations(factors, 2) if a.code != b.code),
            *product(P_ROWS, (*factors, *plain)),
        )
        for one, two in pairs:
            yield Idea((Culprit(one, REACHED), Culprit(two, REACHED)))

    def _follow_all(self, ideas: Iterator[Idea]) -> bool:
        """Follow the ideas, the likeliest first; True when nothing better can come."""
        later: list[tuple[int, int, Idea, Branch]] = []
        for order, idea in enumerate(ideas):
            if self._price(idea) >= self.best.cost:
                continue
            for known, branch in self._with_amounts(idea, self.flows.get, top, UPPER):
                wrong = self._wrong(branch, UPPER)
                if wrong == len(UPPER) and idea.found:
                    continue  # three faults at least
                if wrong:
                    later.append((wrong, order, known, branch))
                    continue
                self._follow(known, branch)
                if self._settled():
                    return True
        for wrong, _, idea, branch in sorted(later, key=lambda item: item[:2]):
            if self._price(idea) + SIMILAR * wrong < self.best.cost:
                self._follow(idea, branch)
        return self.best.cost <= 2.0

    def _settled(self) -> bool:
        """Whether no other dZ2 can do better.

        A right one on which both tensors agree is beyond doubt; a wrong one is only as
        long as little else is wrong: the two may have a fault each, and the rest none.
        """
        if self.best.cost <= 1.0 + SIMILAR:
            return True
        seen_both = not any(t in self.leaves.missing for t in UPPER)
        faults = any(f.fault.step in (*UPPER, "dZ2", "P_used") for f in self.best.found)
        return seen_both and not faults and not any(t in self.best.left for t in UPPER)

    def _price(self, idea: Idea) -> float:
        return self._cost(idea.found) + FREE * bool(idea.free)

    def _cost(self, found: Sequence[Culprit]) -> float:
        """1 a new code; a little for each further place, and where the loss shows it too."""
        codes = {f.fault.code for f in found}
        fresh = len(codes - self.known)
        return fresh + SIMILAR * (len(found) - fresh)

    # ── what is below it ─────────────────────────────────────────────────────

    def _follow(self, idea: Idea, branch: Branch) -> None:
        """Complete an idea on dZ2 with what it takes below; keep it if it is the cheapest."""
        upper = self.leaves.explained(branch, UPPER, frozenset(f.fault.code for f in idea.found))
        begun = Idea((*idea.found, *upper.found), (*idea.free, *upper.free))
        if self._price(begun) + UNEXPLAINED * len(upper.left) >= self.best.cost:
            return
        if len(upper.left) == len(UPPER) and (idea.found or idea.free):
            return  # nothing speaks for it
        for ideas in (self._gates(), self._pairs_of_gates()):
            if self._follow_gates(begun, upper.left, branch, ideas):
                return

    def _gates(self) -> Iterator[Idea]:
        """Hypotheses on dZ1: right, free, one fault."""
        yield Idea()
        yield from (Idea((), (gate,)) for gate in free_gates(self.faults))
        yield from (Idea((Culprit(row, LOWER),)) for row in DZ1_ROWS)

    def _pairs_of_gates(self) -> Iterator[Idea]:
        """A fault of the gate below a factor that enters with dH1."""
        gates = [r for r in DZ1_ROWS if r.direction is None]
        for factor, gate in product(DH1_ROWS, gates):
            if factor.code != gate.code:
                yield Idea((Culprit(factor, LOWER), Culprit(gate, LOWER)))

    def _follow_gates(
        self, begun: Idea, left: tuple[str, ...], branch: Branch, ideas: Iterator[Idea]
    ) -> bool:
        """Complete `begun` with a gate and with what the lower tensors need; True when all fits."""
        later: list[tuple[int, int, Idea, Branch]] = []
        spent = UNEXPLAINED * len(left)
        for order, gate in enumerate(ideas):
            both = Idea((*begun.found, *gate.found), (*begun.free, *gate.free))
            if self._price(both) + spent >= self.best.cost:
                continue
            for known, below in self._with_amounts(gate, branch, middle, LOWER):
                wrong = self._wrong(below, LOWER)
                if not wrong and self._finish(begun, known, left, below):
                    return True
                if wrong and (wrong < len(LOWER) or not known.found):
                    later.append((wrong, order, known, below))
        for wrong, _, gate, below in sorted(later, key=lambda item: item[:2]):
            both = Idea((*begun.found, *gate.found), begun.free)
            if self._price(both) + spent + SIMILAR * wrong < self.best.cost:
                self._finish(begun, gate, left, below)
        return not any(t in self.best.left for t in LOWER)

    def _finish(self, begun: Idea, gate: Idea, left: tuple[str, ...], below: Branch) -> bool:
        """The whole of one explanation; True when the lower tensors have nothing more to say."""
        codes = frozenset(f.fault.code for f in (*begun.found, *gate.found))
        lower = self.leaves.explained(below, LOWER, codes)
        whole = Idea(
            (*begun.found, *gate.found, *lower.found), (*begun.free, *gate.free, *lower.free)
        )
        unexplained = (*left, *lower.left)
        cost = self._price(whole) + UNEXPLAINED * len(unexplained)
        if cost < self.best.cost - 1e-9:
            self.best = Backward(unexplained, whole.found, whole.free, cost)
        return not lower.left and not lower.found

    # ── one tensor ───────────────────────────────────────────────────────────

    def _wrong(self, branch: Branch, leaves: Sequence[str]) -> int:
        """How many of the tensors do not follow from a flow on the first case."""
        self.tried += 1
        if self.tried > MOST:
            raise _Spent
        flow = branch(self.cases[0])
        if flow is None:
            return len(leaves)
        return sum(not self.leaves.follows(leaf, flow) for leaf in leaves)

    def _with_amounts(
        self,
        idea: Idea,
        source: Callable[[str], Flow | None],
        step: Callable[..., None],
        leaves: tuple[str, ...],
    ) -> Iterator[tuple[Idea, Branch]]:
        """The idea with its branch; for a family, with each parameter that a tensor suggests."""
        first = idea.found[0].fault if idea.found else None
        if first is None or first.direction is None:
            yield idea, Branch(source, idea, step)
            return
        tried: list[float] = []
        at = [Branch(source, _amounting(idea, amount), step) for amount in (0.0, 1.0)]
        low, high = (branch(self.cases[0]) for branch in at)
        if low is None or high is None:
            return
        for leaf in leaves:
            seen = self.seen[leaf].get(self.cases[0])
            if seen is None:
                continue
            base = RIGHT[leaf](low)
            amount = projected(seen, base, RIGHT[leaf](high) - base)
            if not abs(amount) > self.close or is_plain(first, amount, self.close):
                continue  # no fault at all, or one that has a row of its own
            if not any(abs(amount - other) <= SMALL * abs(other) for other in tried):
                tried.append(amount)
                known = _amounting(idea, amount)
                yield known, Branch(source, known, step)


def _amounting(idea: Idea, amount: float) -> Idea:
    first, *rest = idea.found
    return Idea((replace(first, amount=amount), *rest), idea.free)
