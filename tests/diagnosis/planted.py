"""What the reference would return with faults of the table in it."""

from __future__ import annotations

from collections.abc import Sequence

from grader.defects.explanation import BACKWARD, HUGE, ORDINARY, Culprit
from grader.defects.table import with_own_log
from grader.diagnosis.passes import gradients_of
from grader.diagnosis.predictions import Predictions
from grader.problem.network import LEAVES, Fault, forward
from grader.records import Array

AMOUNT = 0.37
REACHED = ("W1", "b1", "W2", "b2", "X")

Losses = dict[str, Array | None]
Gradients = dict[str, dict[str, Array | None]]


def outputs(
    predictions: Predictions,
    forwards: Sequence[Fault],
    backwards: Sequence[Fault],
    free: Sequence[Fault] = (),
    amount: float = AMOUNT,
) -> tuple[Losses, Gradients]:
    """Losses by case, and gradients by tensor and case, under these faults."""
    found = [Culprit(f, (f.step,) if f.step in LEAVES else REACHED, amount) for f in backwards]
    losses: Losses = {}
    gradients: Gradients = {leaf: {} for leaf in LEAVES}
    for case in (*ORDINARY, *HUGE):
        try:
            flow = forward(predictions.paper.cases[case], with_own_log(tuple(forwards)))
        except (ValueError, IndexError):
            losses[case] = None
            continue
        for fault in forwards:
            if fault.direction is not None:
                flow["loss"] = flow["loss"] + amount * fault.direction(flow)
        losses[case] = flow["loss"]
        if case in (*BACKWARD, *HUGE):
            try:
                got = gradients_of(flow, found, free)
            except (ValueError, IndexError):
                continue
            for leaf in LEAVES:
                gradients[leaf][case] = got[leaf]
    return losses, gradients


def row(rows: Sequence[Fault], code: str, variant: str = "") -> Fault:
    """The first row of a code whose words contain `variant`."""
    return next(r for r in rows if r.code == code and variant in r.variant)
