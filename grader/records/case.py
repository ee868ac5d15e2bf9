"""One set of inputs that a submission is run on."""

from __future__ import annotations

from dataclasses import dataclass

from grader.records.arrays import Array


@dataclass(frozen=True, slots=True)
class Case:
    """One set of inputs: X [B, D], y [B], W1 [D, H], b1 [H], W2 [H, C], b2 [C]."""

    name: str
    purpose: str
    X: Array
    y: Array
    W1: Array
    b1: Array
    W2: Array
    b2: Array

    @property
    def inputs(self) -> dict[str, Array]:
        """Return the six arguments of `forward`, in the contract's order."""
        return {n: getattr(self, n) for n in ("X", "y", "W1", "b1", "W2", "b2")}

    @property
    def sizes(self) -> dict[str, int]:
        """Return `{"B": …, "D": …, "H": …, "C": …}`."""
        (batch, features), (hidden, classes) = self.X.shape, self.W2.shape
        return {"B": batch, "D": features, "H": hidden, "C": classes}
