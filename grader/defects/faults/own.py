"""The gradient of a wrong loss itself: what autograd gives for it, and rightly so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grader.defects.faults.forward_rows import with_own_log
from grader.problem.network import Fault, Flow, resumed
from grader.records import Array

STEP = 2e-4
"""Of the five-point stencil: its truncation, of order STEP**4 = 2e-15, and the loss's rounding
over STEP, 1e-12, are both far below the closeness that a prediction is held to."""

STENCIL = ((1, 8.0), (-1, -8.0), (2, -1.0), (-2, 1.0))
"""(multiple of the step, weight) over 12 steps: Abramowitz and Stegun, 25.3.6."""


def own_dZ2(flow: Flow, faults: Sequence[Fault], amount: float = 0.0) -> Array:
    """The derivative [B, C] of the loss under `faults` by Z2 (before a faulty last step of Z2).

    `flow` is a forward flow under the same faults, `amount` their family's parameter.
    """
    steps = with_own_log(faults)
    terms = [f.direction for f in faults if f.direction is not None and not f.gains]
    gradient = np.empty_like(flow["Z2"])
    for index in np.ndindex(gradient.shape):
        total = 0.0
        for multiple, weight in STENCIL:
            Z2 = flow["Z2"].copy()
            Z2[index] += multiple * STEP
            moved = resumed({**flow, "Z2": Z2}, steps, "shift")
            loss = float(moved["loss"].sum()) + sum(amount * float(t(moved)) for t in terms)
            total += weight * loss
        gradient[index] = total / (12.0 * STEP)
    last = steps.get("Z2")
    return gradient if last is None or last.slope is None else gradient * last.slope(flow)
