"""One way to call a check by differences: a run that is watched, and runs with wrong gradients.

Child's side.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.child import coerce
from grader.child.binding.canonical import ARGUMENTS
from grader.child.coerce import TENSORS
from grader.child.reports import Corruption, CorruptionKind, Refusal
from grader.child.trials.candidates import STEP
from grader.child.trials.corruption import at_a_step
from grader.child.trials.points import Points, slopes
from grader.child.trials.response import FAULT, Response, has_grown, printed_refusal, refusal
from grader.child.trials.session import Origin, Session, objects
from grader.child.trials.spoiler import Array
from grader.child.trials.subject import Check, Subject

UNEQUAL = 1e-5
"""Of the largest entry: a gradient that is further from the slopes of its own loss is wrong."""

MANY = 200
"""Entries beyond which nobody waits for all slopes."""


class DifferenceSession(Session):
    """One way to call a check of the network, on one set of inputs.

    `whole`: it is a verification or a script, which may compare with autograd as well. There
    both sides are made wrong alike, so that only a comparison with differences can refuse.
    """

    def __init__(
        self,
        subject: Subject,
        check: Check | None,
        arguments: list[Array],
        *,
        whole: bool = False,
    ) -> None:
        super().__init__(subject, check, arguments)
        self.whole, self.own_arguments = whole, arguments
        self.points = Points({t: self.inputs[t] for t in TENSORS}, strict=whole)
        spoiler = self.subject.spoiler
        spoiler.points = self.points
        self.sides = self.subject.sides(arguments, ("hand", "auto") if whole else ("hand",))
        self.steps_itself, self.prints_errors = bool(self.points.by_tensor), False
        self.points.by_tensor.clear()  # a backward that differences is no check of another
        self.first = self.watching()
        self.raw = self.base = self.attempt(self.first)
        self.after = [a.copy() for a in self.subject.arguments]
        spoiler.points = None
        self.origins = {t: self.origins_of(t) for t in TENSORS}

    @property
    def steps(self) -> bool:
        """Return whether it takes steps; in a `whole`, not by way of a backward that does."""
        return bool(self.points.by_tensor) and not (self.whole and self.steps_itself)

    # ── a right gradient ─────────────────────────────────────────────────────

    def finds_fault(self) -> bool:
        """Return whether it says, or its number says, that the candidate's gradients are wrong."""
        return objects(self, self.raw) or any(not n <= FAULT for n in self.raw.numbers)

    def equalise(self) -> None:
        """Set `base`, with right gradients in place of those that it rightly finds wrong."""
        if self.finds_fault():
            self.unequal = self._unequal()
        super().equalise()

    def _unequal(self) -> dict[str, Array]:
        """Return the slopes by tensor whose gradient is not the slope of the candidate's own loss.

        In a `whole` autograd's, by tensor where the two sides differ.
        """
        if self.whole:
            return {t: self.sides.auto[t] for t in TENSORS if self.sides.differ(t)}
        forward = self.subject.driver.function("forward")
        if sum(a.size for a in self.own_arguments) > MANY:
            return {}

        def loss(*arguments: Array) -> Any:
            value, _ = coerce.pair(forward(*arguments), "loss, cache")
            return np.reshape(coerce.as_array(value, "loss"), -1)[0]

        try:
            truths = dict(zip(ARGUMENTS, slopes(loss, self.own_arguments, STEP), strict=True))
        except Exception:  # without a loss there is nothing to hold them against
            return {}
        unequal = {}
        for tensor, mine in self.sides.hand.items():
            truth = truths[tensor]
            limit = UNEQUAL * max(float(np.abs(truth).max(initial=0.0)), 1e-3)
            alike = mine.shape == truth.shape and np.abs(mine - truth).max(initial=0.0) <= limit
            if not alike:
                unequal[tensor] = truth
        return unequal

    # ── a wrong one ──────────────────────────────────────────────────────────

    def groups(self, tensor: str) -> list[list[Origin]]:
        """Return all origins together: both sides are made wrong alike."""
        return [self.origins[tensor]]

    def is_absent(self, tensor: str) -> bool:
        """Return whether other gradients occur in a run, or none does and nothing is stepped."""
        return any(self.origins.values()) or not self.points.by_tensor

    def adapted(self, tensor: str, corruption: Corruption) -> Corruption:
        """Return the corruption, of an entry that is stepped."""
        return at_a_step(corruption, self.inputs[tensor], self.points.by_tensor.get(tensor, ()))

    def refusal(self, response: Response, corruption: Corruption) -> Refusal | None:
        """Return how a response refuses; numbers that are printed are there to be read."""
        if not self.whole:
            return printed_refusal(self.base, response)
        slightly = corruption.kind is CorruptionKind.SCALE and 1.0 < corruption.amount < 2.0
        grown = (slightly or self.prints_errors) and has_grown(self.base, response)
        self.prints_errors = self.prints_errors or grown
        return refusal(self.base, response) or (Refusal.PRINT if grown else None)
