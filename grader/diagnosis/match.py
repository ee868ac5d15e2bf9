"""Which faults predict what a submission returned: first its losses, then its gradients.

The search follows the graph instead of listing pairs: a forward hypothesis
fixes the flow, a hypothesis on dZ2 is judged by dW2 and db2, one on dZ1 by
dW1, db1 and dX, and each of the five may have a fault of its own. The cheapest
explanation wins; one that needs a fault per tensor is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from grader.problem import Paper
from grader.problem.faults import (
    ACTIVATIONS,
    DZ1_ROWS,
    DZ2_ROWS,
    FORWARD_ROWS,
    LEAF_ROWS,
    LEAVES,
    RIGHT,
    Fault,
    Flow,
    forward,
    with_own_log,
)
from grader.problem.faults.backward_rows import own_derivative
from grader.problem.faults.flow import Formula, onehot, softmax
from grader.records import Array

ORDINARY = ("primes", "more_rows", "square", "batch_is_hidden", "batch_is_classes")
HUGE = ("overflow", "underflow", "offsets")
BACKWARD = ("primes", "more_rows", "square")

CLOSE = 1e-8
"""Relative gap between a prediction and an output that it explains; rounding stays under 1e-11."""

SMALL = 1e-6
"""Below this a gradient counts as zero: the sum of all of dZ2 is nothing but rounding."""

SIMILAR = 0.1
"""What a further tensor under a code already found costs, against 1 for a new code."""

UNEXPLAINED = 2.5
"""What a tensor that nothing predicts costs: dearer than two faults, cheaper than three."""

Outputs = Mapping[str, Array | None]
"""What was seen, by case; None where the call raised or returned nothing of use."""


@dataclass(frozen=True)
class Found:
    """A fault that explains, the tensors it was found at, and its family's parameter."""

    fault: Fault
    tensors: tuple[str, ...] = ()
    amount: float = 0.0


@dataclass(frozen=True)
class Explanation:
    """The cheapest set of faults; `unexplained` are the outputs that none of them predicts.

    `free` are steps that differ from the reference without being a fault of
    their own, such as the derivative of the wrong activation in use.
    """

    forward: tuple[Found, ...] = ()
    backward: tuple[Found, ...] = ()
    unexplained: tuple[str, ...] = ()
    free: tuple[Fault, ...] = field(default=())


@dataclass(frozen=True)
class _Backward:
    """One explanation of the gradients, and what it costs."""

    left: tuple[str, ...]
    found: tuple[Found, ...] = ()
    free: tuple[Fault, ...] = ()
    cost: float = 0.0


def same(predicted: Array | None, seen: Array | None, close: float = CLOSE) -> bool:
    """Whether a prediction holds: shape, every finite value, and where it is not finite."""
    if predicted is None or seen is None:
        return predicted is None and seen is None
    if predicted.shape != seen.shape:
        return False
    finite = np.isfinite(predicted)
    if not np.array_equal(finite, np.isfinite(seen)):
        return False
    if not finite.any():
        return True
    gap = np.abs(predicted[finite] - seen[finite]).max()
    return bool(gap <= close * max(float(np.abs(predicted[finite]).max()), SMALL))


class Predictions:
    """The forward hypotheses of one paper and their losses, computed once a run."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.flows: dict[tuple[int, ...], dict[str, Flow | None]] = {}
        core = [f for f in FORWARD_ROWS if not _is_stability(f) or f.code == "loss-log-epsilon"]
        self.cores: list[tuple[Fault, ...]] = [(), *((f,) for f in core)]
        few = [f for f in core if f.code != "loss-log-epsilon" or "1e-08" in f.variant]
        self.cores += [(a, b) for a, b in combinations(few, 2) if a.step != b.step]
        self.stability = list(_stability_variants())

    def flow(self, faults: tuple[Fault, ...], case: str) -> Flow | None:
        """The forward flow of `case` under `faults`; None where it raises."""
        cache = self.flows.setdefault(tuple(map(id, faults)), {})
        if case not in cache:
            try:
                cache[case] = forward(self.paper.cases[case], with_own_log(faults))
            except (ValueError, IndexError):
                cache[case] = None
        return cache[case]

    def match_forward(
        self, losses: Outputs, close: float
    ) -> tuple[tuple[Found, ...] | None, tuple[Fault, ...]]:
        """What explains the losses: the faults found (None: nothing does), and those in force."""
        for core in self.cores:
            amount = self._explains(core, losses, ORDINARY, close)
            if amount is None:
                continue
            for extra in self.stability:
                if any(e.step == c.step for e in extra for c in core):
                    continue
                if self._explains((*core, *extra), losses, HUGE, close) is not None:
                    return _found((*core, *extra), amount), (*core, *extra)
            return _found(core, amount), core
        return None, ()

    def _explains(
        self, faults: tuple[Fault, ...], losses: Outputs, cases: Sequence[str], close: float
    ) -> float | None:
        """The family's parameter (0 without one) if the faults predict `cases`, else None."""
        family = next((f for f in faults if f.direction is not None), None)
        amount = 0.0
        for index, case in enumerate(c for c in cases if c in losses):
            flow, seen = self.flow(faults, case), losses.get(case)
            if flow is None or family is None or seen is None:
                if not same(None if flow is None else flow["loss"], seen, close):
                    return None
                continue
            assert family.direction is not None
            direction = float(family.direction(flow))
            if seen.shape != ():
                return None
            if index == 0:
                amount = float(seen - flow["loss"]) / direction
                if not close <= abs(amount) < 1e9 or abs(amount - 1.0) < 1e-9:
                    return None  # no term at all, or a constant that is a plain sum
            if not same(flow["loss"] + amount * direction, seen, close):
                return None
        return amount

    # ── gradients ────────────────────────────────────────────────────────────

    def match_backward(
        self,
        faults: tuple[Fault, ...],
        seen: Mapping[str, Outputs],
        loss_amount: float,
        close: float,
    ) -> _Backward:
        """The cheapest backward explanation of the gradients seen (tensor → case → array)."""
        flows = {case: self.flow(faults, case) for case in BACKWARD}
        came = {c for c in BACKWARD if any(seen[t].get(c) is not None for t in LEAVES)}
        usable = {c: dict(flow) for c, flow in flows.items() if flow is not None and c in came}
        if not usable:
            return _Backward(LEAVES, cost=UNEXPLAINED * 5)
        search = _Search(usable, seen, faults, loss_amount, close)
        best = _Backward(LEAVES, cost=float("inf"))
        for top, cost_top, free in search.tops():
            if best.cost < 0.05 or (top and best.cost <= 1.0):
                break  # a fault of dZ2 costs as much by itself
            for found, left in search.below(top, best.cost - cost_top):
                cost = cost_top + _cost((*top, *found)) + UNEXPLAINED * len(left)
                if cost < best.cost - 1e-9:
                    gate = (search.gate,) if search.gate else ()
                    best = _Backward(left, (*top, *found), (*free, *gate), cost)
        return best


def _is_stability(fault: Fault) -> bool:
    """Whether a row may show on huge logits only. A guard in the log may, or may not."""
    return fault.code in (
        *("softmax-no-max-shift", "softmax-global-max"),
        *("loss-log-underflow", "loss-log-epsilon"),
    )


def _stability_variants() -> Iterator[tuple[Fault, ...]]:
    rows = [f for f in FORWARD_ROWS if _is_stability(f)]
    picked = [f for f in rows if f.step == "picked"]
    shifts = [f for f in rows if f.step == "shift"]
    yield ()
    for f in rows:
        yield (f,)
    for s in shifts:
        for p in picked:
            yield (s, p)


def _found(faults: tuple[Fault, ...], amount: float) -> tuple[Found, ...]:
    return tuple(Found(f, (), amount if f.direction else 0.0) for f in faults)


def _cost(found: Sequence[Found]) -> float:
    """1 a code, a little for each further place where it stands."""
    codes = {f.fault.code for f in found}
    return len(codes) + SIMILAR * (len(found) - len(codes))


class _Search:
    """The gradients of one submission against the flows of one forward hypothesis."""

    def __init__(
        self,
        flows: dict[str, Flow],
        seen: Mapping[str, Outputs],
        faults: tuple[Fault, ...],
        loss_amount: float,
        close: float,
    ) -> None:
        self.flows, self.seen, self.faults, self.close = flows, seen, faults, close
        self.loss_amount = loss_amount
        self.gate: Fault | None = None
        self.missing = {t for t in LEAVES if all(seen[t].get(c) is None for c in flows)}

    def tops(self) -> Iterator[tuple[tuple[Found, ...], float, tuple[Fault, ...]]]:
        """Hypotheses on dZ2, each leaving `dZ2` and `dH1` in the flows; right ones first."""
        for row in (None, *DZ2_ROWS):
            for free in (None, *free_tops(self.faults)):
                for flow in self.flows.values():
                    top(flow, row, free)
                found = (Found(row, ("W1", "b1", "W2", "b2", "X")),) if row else ()
                yield found, 0.01 if free else 0.0, (free,) if free else ()

    def below(
        self, top: tuple[Found, ...], bound: float
    ) -> Iterator[tuple[tuple[Found, ...], tuple[str, ...]]]:
        """What has to be added below dZ2: faults found, and tensors left unexplained.

        Branches that cannot cost less than `bound` are not followed.
        """
        upper, upper_left = self._leaves(("W2", "b2"))
        if _cost((*top, *upper)) + UNEXPLAINED * len(upper_left) >= bound:
            return
        codes = frozenset(f.fault.code for f in (*top, *upper))
        for dZ1 in self._middles():
            lower, lower_left = self._leaves(("W1", "b1", "X"), codes)
            yield (*upper, *dZ1, *lower), (*upper_left, *lower_left)
            if not dZ1 and not lower and not lower_left:
                return

    def _middles(self) -> Iterator[tuple[Found, ...]]:
        """Hypotheses on dZ1, each left in the flows; those that are free first."""
        for free in (None, *free_gates(self.faults)):
            for flow in self.flows.values():
                middle(flow, free)
            self.gate = free
            yield ()
        self.gate = None
        for row in DZ1_ROWS:
            amount = 0.0
            for flow in self.flows.values():
                with np.errstate(all="ignore"):
                    flow["dZ1"] = row.formula(flow)
            if row.direction is not None:
                amount = self._amount_of_middle(row)
                if not np.isfinite(amount) or abs(amount) < 1e-9:
                    continue
                for flow in self.flows.values():
                    flow["dZ1"] = row.formula(flow) + amount * row.direction(flow)
            yield (Found(row, ("W1", "b1", "X"), amount),)

    def _amount_of_middle(self, row: Fault) -> float:
        """The parameter of a dZ1 family, from the first of db1, dW1 whose shape fits."""
        assert row.direction is not None
        case, flow = next(iter(self.flows.items()))
        for leaf in ("b1", "W1", "X"):
            seen = self.seen[leaf].get(case)
            right = RIGHT[leaf](flow)
            if seen is None or seen.shape != right.shape:
                continue
            along = RIGHT[leaf]({**flow, "dZ1": row.direction(flow)})
            norm = float((along * along).sum())
            return float(((seen - right) * along).sum()) / norm if norm else float("nan")
        return float("nan")

    def _leaves(
        self, leaves: tuple[str, ...], prefer: frozenset[str] = frozenset()
    ) -> tuple[tuple[Found, ...], tuple[str, ...]]:
        """Faults of the tensors' own, and tensors that have none which fits.

        Two codes may predict one tensor alike (a mean for a sum, a second 1/B):
        then the one that other tensors show as well is meant.
        """
        options: dict[str, list[Found]] = {}
        for leaf in leaves:
            if leaf in self.missing:
                continue  # told by what came back, not by numbers
            if not (self._fits(leaf, RIGHT[leaf]) or self._fits_own_penalty(leaf)):
                options[leaf] = self._local(leaf)
        shown = Counter(f.fault.code for found in options.values() for f in found)
        shown.update({code: len(leaves) for code in prefer})
        best = [max(f, key=lambda o: shown[o.fault.code]) for f in options.values() if f]
        return tuple(best), tuple(leaf for leaf, found in options.items() if not found)

    def _fits(self, leaf: str, formula: Formula) -> bool:
        with np.errstate(all="ignore"):
            return all(
                same(np.asarray(formula(flow)), self.seen[leaf].get(case), self.close)
                for case, flow in self.flows.items()
            )

    def _fits_own_penalty(self, leaf: str) -> bool:
        """The gradient of a penalty in the candidate's own loss is no fault of its own."""
        penalties = [f for f in self.faults if f.code == "loss-extra-term"]
        if not any(leaf in f.variant or "all" in f.variant for f in penalties):
            return False
        amount = 2.0 * self.loss_amount
        return self._fits(leaf, lambda f: RIGHT[leaf](f) + amount * f[leaf])

    def _local(self, leaf: str) -> list[Found]:
        """The tensor's own rows that predict it, the likeliest first."""
        found: list[Found] = []
        for row in LEAF_ROWS[leaf]:
            if any(f.fault.code == row.code for f in found):
                continue
            if row.direction is None:
                if self._fits(leaf, row.formula):
                    found.append(Found(row, (leaf,)))
                continue
            amount = self._amount(leaf, row)
            if np.isfinite(amount) and abs(amount) > self.close:
                base, along = row.formula, row.direction
                if self._fits(leaf, _along(base, amount, along)):
                    found.append(Found(row, (leaf,), amount))
        return found

    def _amount(self, leaf: str, row: Fault) -> float:
        assert row.direction is not None
        case, flow = next(iter(self.flows.items()))
        seen, right, along = self.seen[leaf].get(case), row.formula(flow), row.direction(flow)
        if seen is None or seen.shape != right.shape:
            return float("nan")
        norm = float((along * along).sum())
        return float(((seen - right) * along).sum()) / norm if norm else float("nan")


def top(flow: Flow, row: Fault | None, free: Fault | None) -> None:
    """Put dZ2 and dH1 into the flow, under a fault of dZ2 and what comes free with a wrong loss."""
    with np.errstate(all="ignore"):
        flow["dZ2"] = np.asarray((row.formula if row else RIGHT["dZ2"])(flow))
        if free is not None:
            flow["dZ2"] = np.asarray(free.formula(flow))
        flow["dH1"] = RIGHT["dH1"](flow)


def middle(flow: Flow, row: Fault | None, amount: float = 0.0) -> None:
    """Put dZ1 into the flow, under a fault of it."""
    with np.errstate(all="ignore"):
        flow["dZ1"] = np.asarray((row.formula if row else RIGHT["dZ1"])(flow))
        if row is not None and row.direction is not None:
            flow["dZ1"] = flow["dZ1"] + amount * row.direction(flow)


def free_tops(faults: tuple[Fault, ...]) -> list[Fault]:
    """What dZ2 may be under a wrong forward without being wrong itself. They read `dZ2`."""
    found = []
    for fault in faults:
        if fault.scale is not None:
            found.append(Fault(fault.code, "dZ2", "own factor", _scaled_dZ2(fault.scale)))
        if fault.code == "relu-on-logits":
            found.append(Fault(fault.code, "dZ2", "own mask", lambda f: f["dZ2"] * (f["Z2"] > 0)))
        if fault.code == "double-softmax":
            found.append(Fault(fault.code, "dZ2", "through both", _through_both))
            found.append(Fault(fault.code, "dZ2", "of one softmax", _of_one))
    return found


def _scaled_dZ2(scale: Formula) -> Formula:
    return lambda f: scale(f) * f["dZ2"]


def _along(base: Formula, amount: float, direction: Formula) -> Formula:
    return lambda f: base(f) + amount * direction(f)


def _through_both(flow: Flow) -> Array:
    """dZ2 where the loss is that of softmax(softmax(Z2)): the inner Jacobian on (P - Y) / B."""
    inner = softmax(flow)
    dP = (flow["P"] - onehot(flow)) / len(flow["X"])
    return np.asarray(inner * (dP - (dP * inner).sum(axis=1, keepdims=True)))


def _of_one(flow: Flow) -> Array:
    return np.asarray((softmax(flow) - onehot(flow)) / len(flow["X"]))


def free_gates(faults: tuple[Fault, ...]) -> list[Fault]:
    """What dZ1 may be under a wrong activation without being wrong itself."""
    found = []
    for fault in faults:
        if fault.code == "relu-missing":
            found.append(Fault(fault.code, "dZ1", "own derivative", lambda f: f["dH1"]))
        if fault.code == "relu-replaced":
            name = fault.variant.removesuffix(" in place of the ReLU")
            derivative = next(d for n, _, d in ACTIVATIONS if n == name)
            found.append(Fault(fault.code, "dZ1", "own derivative", own_derivative(derivative)))
    return found


def explain(
    predictions: Predictions,
    losses: Outputs,
    gradients: Mapping[str, Outputs],
    close: float = CLOSE,
) -> Explanation:
    """The cheapest explanation of a submission's losses and gradients."""
    found, in_force = predictions.match_forward(losses, close)
    amount = next((f.amount for f in found or () if f.fault.direction), 0.0)
    unexplained = ("loss",) if found is None else ()
    backward = predictions.match_backward(in_force, gradients, amount, close)
    if in_force and backward.left:  # the backward may rest on right values all the same
        again = predictions.match_backward((), gradients, 0.0, close)
        backward = again if again.cost < backward.cost else backward
    left = (*unexplained, *backward.left)
    return Explanation(found or (), backward.found, left, backward.free)
