"""A function to differentiate, for a helper that is given one: Σ sin(x + phase) (child's side)."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.child.trials.spoiler import Array

MAX_POINTS = 4096
"""Points noted of one task."""


class Task:
    """The function, whose slope is a cosine; it notes at which `points` it is asked.

    `answer` is the gradient that a helper returned, if it did.
    """

    def __init__(self, x: Array, phase: Array) -> None:
        self.x, self.phase = x.copy(), phase
        self.slope = np.cos(x + phase)
        self.points: list[Array] = []
        self.answer: Array | None = None

    def __call__(self, *arguments: Any) -> float:
        x = np.asarray(arguments[0] if arguments else self.x)
        if len(self.points) < MAX_POINTS:
            self.points.append(np.array(x, np.float64, subok=False))
        return float(np.sin(x + self.phase).sum())

    def noted(self, value: Any) -> Any:
        """Note the gradient in what a helper returns; return all of it."""
        parts = value if isinstance(value, tuple | list) else [value]
        arrays = [p for p in parts if isinstance(p, np.ndarray) and p.shape == self.x.shape]
        if arrays and arrays[0].dtype.kind == "f":
            self.answer = np.array(arrays[0], np.float64, subok=False)
        return value
