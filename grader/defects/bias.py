"""Mistakes in the gradients of the biases."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from grader.defects.edits.toggles import change_reduction, flatten, sum_over_batch
from grader.defects.kind import Centrality, Kind
from grader.defects.names import BIAS as BIAS_NAME
from grader.defects.names import HandedOn
from grader.defects.sites.network import in_backward
from grader.problem.network import Fault, Formula
from grader.records import Array, Part


def _of_upstream(variant: str, reduce: Callable[[Array], Array]) -> tuple[Fault, ...]:
    """A wrong reduction of dZ2 in db2, and of dZ1 in db1."""

    def formula(upstream: str) -> Formula:
        return lambda f: np.asarray(reduce(f[upstream]))

    return Fault("b2", variant, formula("dZ2")), Fault("b1", variant, formula("dZ1"))


kind = partial(Kind, part=Part.BACKWARD)

BIAS: tuple[Kind, ...] = (
    kind(
        code="bias-grad-keepdims",
        centrality=Centrality.ONE_TENSOR,
        what="The bias gradient has the right numbers with an axis too many.",
        shows="backward.db1_shape or backward.db2_shape fails: [1, ·] where [·] is expected.",
        why="b2 is [C] and so is its gradient; [C] − [1, C] gives [1, C], so one step reshapes b2.",
        hint="Compare the shape of the gradient with that of the bias.",
        ask="Which shape has b2 after one step with this gradient?",
        wrong="db2 = dZ2.sum(axis=0, keepdims=True)",
        right="db2 = dZ2.sum(axis=0)",
        faults=_of_upstream("shape [1, ·]", lambda d: d.sum(0, keepdims=True)),
        placed=in_backward,
        repairs=(change_reduction, flatten),
    ),
    kind(
        code="bias-grad-not-summed",
        centrality=Centrality.ONE_TENSOR,
        what="The bias gradient is still one row per example.",
        shows="backward.db1_shape or backward.db2_shape fails: [B, ·] where [·] is expected.",
        why="Broadcasting copies b2 to all B rows; what forward copies, backward sums.",
        hint="Each bias acts on all B examples; collect what they all say.",
        ask="On how many examples does one bias act, and what does that do to its gradient?",
        wrong="db2 = dZ2",
        right="db2 = dZ2.sum(axis=0)",
        faults=_of_upstream("shape [B, ·]", lambda d: d),
        placed=in_backward,
        handed_on=HandedOn(BIAS_NAME),
        repairs=(sum_over_batch,),
    ),
    kind(
        code="bias-grad-mean",
        centrality=Centrality.ONE_TENSOR,
        what="The bias gradient averages over the batch although dZ has its 1/B already.",
        shows="backward.batch_mean fails for b1 or b2 only: the ratio is 1/B.",
        why="∂loss/∂b2 = Σ_b dZ2[b]; the mean of the loss sits inside dZ2, so this makes it 1/B².",
        hint="Where did the 1/B come in? It needs to come in once.",
        ask="Where did the 1/B come in already?",
        wrong="db2 = dZ2.mean(axis=0)",
        right="db2 = dZ2.sum(axis=0)",
        faults=(
            *_of_upstream("mean for sum", lambda d: d.mean(axis=0)),
            *_of_upstream("mean for sum, shape [1, ·]", lambda d: d.mean(0, keepdims=True)),
        ),
        placed=in_backward,
        scales=True,
        repairs=(change_reduction,),
    ),
    kind(
        code="bias-grad-wrong-axis",
        centrality=Centrality.ONE_TENSOR,
        what="The bias gradient adds up the units and keeps the examples.",
        shows="The bias's shape check fails: [B]; where B = H or B = C, its value. db2 is all 0.",
        why="b2[c] reaches Z2[b, c] for every b: the sum is over b, axis 0. Rows of dZ2 sum to 0.",
        hint="The result must have one number per unit: which axis has to go?",
        ask="Which axis of dZ2 has to go, so that one number a unit is left?",
        wrong="db2 = dZ2.sum(axis=1)",
        right="db2 = dZ2.sum(axis=0)",
        faults=(
            *_of_upstream("axis 1", lambda d: d.sum(axis=1)),
            *_of_upstream("axis 1", lambda d: d.sum(1, keepdims=True)),
            *_of_upstream("axis 1, mean", lambda d: d.mean(axis=1)),
        ),
        placed=in_backward,
        repairs=(change_reduction, sum_over_batch),
    ),
    kind(
        code="bias-grad-over-everything",
        centrality=Centrality.ONE_TENSOR,
        what="All units' bias gradients are poured into one number.",
        shows="The bias's shape check fails: a scalar. For b2 it is 0 up to rounding.",
        why="Each unit has its own bias, so H (or C) sums over b are needed. The rows of P and of\n"
        "onehot both sum to 1, so those of dZ2 sum to 0, and so does the whole.",
        hint="np.sum without an axis adds everything; say which axis.",
        ask="How many entries has the gradient of b2?",
        wrong="db2 = np.sum(dZ2)",
        right="db2 = np.sum(dZ2, axis=0)",
        faults=(
            *_of_upstream("no axis", lambda d: d.sum()),
            *_of_upstream("no axis", lambda d: d.mean()),
            *_of_upstream("no axis, shape [1, 1]", lambda d: d.sum(keepdims=True)),
        ),
        placed=in_backward,
        repairs=(sum_over_batch,),
    ),
)
