"""What a search gives: faults with the tensors they explain; and when a prediction holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from grader.problem.network import FORWARD_STEPS, Fault
from grader.records import Array

ORDINARY = ("primes", "more_rows", "square", "batch_is_hidden", "batch_is_classes")
HUGE = ("overflow", "underflow", "offsets")
BACKWARD = ("primes", "more_rows", "square")

CLOSE = 1e-8
"""Relative gap between a prediction and an output that it explains; rounding stays under 1e-11."""

SMALL = 1e-6
"""Relative gap up to which two parameters of a family are one; least size of a loss."""

NATURAL = 1e-3
"""Least size that closeness is measured against: where a sum cancels, as that of all of dZ2, what
is left is rounding, up to 1e-12 in the derivative of a loss that is differenced."""

SIMILAR = 0.1
"""What a further tensor under a code already found costs, against 1 for a new code."""

UNEXPLAINED = 2.5
"""What a tensor that nothing predicts costs: dearer than two faults, cheaper than three."""

Outputs = Mapping[str, Array | None]
"""What was seen, by case; None where the call raised or returned nothing of use."""


@dataclass(frozen=True)
class Culprit:
    """A fault that explains, the tensors it was found at, and its family's parameter."""

    fault: Fault
    tensors: tuple[str, ...] = ()
    amount: float = 0.0


@dataclass(frozen=True)
class Explanation:
    """The cheapest set of faults; `unexplained` are the outputs that none of them predicts.

    `free` are steps that differ from the reference without being a fault of
    their own, such as the derivative of the wrong activation in use. `open_forward`: other
    faults predict the losses as well, and the gradients do not decide between them.
    """

    forward: tuple[Culprit, ...] = ()
    backward: tuple[Culprit, ...] = ()
    unexplained: tuple[str, ...] = ()
    free: tuple[Fault, ...] = field(default=())
    open_forward: bool = False

    def proves(self, culprit: Culprit) -> bool:
        """Return whether numbers alone bear out a fault, whatever else is not explained.

        A fault of the forward is borne out by the losses, one of the backward by any tensor
        at which it was found and whose gradient it predicts.
        """
        if culprit.fault.step in FORWARD_STEPS:
            return "loss" not in self.unexplained and not self.open_forward
        return any(tensor not in self.unexplained for tensor in culprit.tensors)


@dataclass(frozen=True)
class Account:
    """One half of a submission, explained: `prefix` of its steps, and the faults found.

    `missing` are the tensors whose gradient never came although others did.
    """

    prefix: str
    explanation: Explanation
    missing: tuple[str, ...]

    @property
    def torch(self) -> bool:
        """Return whether it is of the PyTorch part."""
        return self.prefix == "torch"

    @property
    def culprits(self) -> tuple[Culprit, ...]:
        """Return the faults of both passes."""
        return (*self.explanation.forward, *self.explanation.backward)


def same(predicted: Array | None, seen: Array | None, close: float = CLOSE) -> bool:
    """Return whether a prediction holds: shape, every finite value, and where it is not finite."""
    if predicted is None or seen is None:
        return predicted is None and seen is None
    if predicted.shape != seen.shape:
        return False
    with np.errstate(all="ignore"):
        gap = float(np.abs(predicted - seen).max(initial=0.0))
        size = float(np.abs(predicted).max(initial=0.0))
    if np.isfinite(gap) and np.isfinite(size):
        return gap <= close * max(size, NATURAL)
    finite = np.isfinite(predicted)
    if not np.array_equal(finite, np.isfinite(seen)):
        return False
    if not finite.any():
        return True
    gap = float(np.abs(predicted[finite] - seen[finite]).max())
    return gap <= close * max(float(np.abs(predicted[finite]).max()), NATURAL)


def is_plain(fault: Fault, amount: float, close: float = CLOSE) -> bool:
    """Return whether a constant for B is just 1 or -1: the division is missing, or a sign."""
    return fault.constant and abs(abs(amount) - 1.0) <= close
