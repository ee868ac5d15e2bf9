"""Which faults predict what a submission returned: first its losses, then its gradients.

The cheapest explanation wins; one that needs a fault per tensor is none.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.defects.explanation import (
    BACKWARD,
    CLOSE,
    HUGE,
    UNEXPLAINED,
    Culprit,
    Explanation,
    Outputs,
    same,
)
from grader.defects.table import UNSTABLE_P
from grader.diagnosis.leaves import Backward
from grader.diagnosis.passes import gradients_of
from grader.diagnosis.predictions import Forward, Predictions
from grader.diagnosis.search import REACHED, GradientSearch
from grader.problem.network import LEAVES

ALTERNATIVES = 4
"""How many explanations of the losses are tried on the gradients, where the first leaves some."""

Gradients = Mapping[str, Outputs]


def explain(
    predictions: Predictions, losses: Outputs, gradients: Gradients, close: float = CLOSE
) -> Explanation:
    """Return the cheapest explanation of a submission's losses (case → array) and gradients."""
    ways = predictions.forwards(losses, close)[:ALTERNATIVES]
    best, backward = Forward(stable=False), Backward()
    for way in ways or [best]:
        found = _backward(predictions, way, gradients, close)
        if found.cost < backward.cost:
            best, backward = way, found
        if not backward.left:
            break
    if best.faults and backward.left:  # the backward may rest on right values all the same
        again = _backward(predictions, Forward(), gradients, close)
        backward = again if again.cost < backward.cost else backward
    unexplained = (*(() if ways else ("loss",)), *backward.left)
    if not ways and not backward.left and any(f.fault.step == "P_used" for f in backward.found):
        unexplained = ()  # probabilities that are wrong in backward were so in the loss already
    elif ways and best.stable and not unexplained:
        backward = _unstable(predictions, best, backward, gradients, close)
    several = len({way.codes for way in ways}) > 1 and bool(backward.left)
    return Explanation(best.culprits, backward.found, unexplained, backward.free, several)


def _backward(
    predictions: Predictions, way: Forward, gradients: Gradients, close: float
) -> Backward:
    flows = {}
    for case in BACKWARD:
        if any(gradients[t].get(case) is not None for t in LEAVES):
            flow = predictions.flow(way.faults, case)
            if flow is not None:
                flows[case] = flow
    if not flows:
        return Backward(cost=UNEXPLAINED * len(LEAVES))
    return GradientSearch(flows, gradients, way.faults, way.amount, close).run()


def _unstable(
    predictions: Predictions, way: Forward, backward: Backward, gradients: Gradients, close: float
) -> Backward:
    """With a softmax that only backward works with and that huge logits spoil, if there is one."""
    cases = [c for c in HUGE if any(gradients[t].get(c) is not None for t in LEAVES)]

    def holds(found: tuple[Culprit, ...]) -> bool:
        for case in cases:
            flow = predictions.flow(way.faults, case)
            if flow is None:
                return False
            predicted = gradients_of(dict(flow), found, backward.free)
            seen = {t: gradients[t].get(case) for t in LEAVES}
            if not all(same(predicted[t], g, close) for t, g in seen.items() if g is not None):
                return False
        return True

    if holds(backward.found):
        return backward
    if any(f.fault.step == "P_used" for f in backward.found):
        return backward
    for row in UNSTABLE_P:
        more = (*backward.found, Culprit(row, REACHED))
        if holds(more):
            return Backward((), more, backward.free, backward.cost + 1.0)
    return backward
