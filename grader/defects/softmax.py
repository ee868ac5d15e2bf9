"""Mistakes in the softmax: the shift by the maximum, and P."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from grader.defects.edits.formulas import shift_by_max
from grader.defects.edits.toggles import (
    change_reduction,
    keep_part,
    keep_right_part,
    make_column,
    turn_all_axes,
)
from grader.defects.kind import Centrality, Cover, Kind
from grader.defects.sites.layers import LayerSite, calls
from grader.defects.sites.network import loses_dimension
from grader.problem.network import Fault, Flow, Formula, Shows, softmax
from grader.records import Array, Part


def _tops(flow: Flow) -> tuple[Array, ...]:
    """What may be taken off Z2 before the exponential."""
    Z = flow["Z2"]
    return np.zeros(()), Z.max(axis=1, keepdims=True), Z.max(axis=0), Z.max()


def _totals(total: Callable[[Array], Array]) -> Callable[[Flow, float], list[Array]]:
    """What only a wrong total comes by: the maximum of each column, and the sums."""

    def telling(flow: Flow, _amount: float) -> list[Array]:
        Z = flow["Z2"]
        return [Z.max(axis=0), *(total(np.exp(Z - top)) for top in _tops(flow))]

    return telling


def _summed(
    words: str,
    total: Callable[[Array], Array],
    top: Formula = lambda f: f["shift"],
    telling: Callable[[Flow, float], list[Array]] | None = None,
) -> tuple[Fault, Fault]:
    """exp(Z2 - top) over a wrong total of it; its log is taken of P, or without ever taking P."""

    def P(flow: Flow) -> Array:
        E = np.exp(flow["Z2"] - top(flow))
        return np.asarray(E / total(E))

    def logs(flow: Flow) -> Array:
        Z = flow["Z2"] - top(flow)
        return np.asarray(Z - np.log(total(np.exp(Z))))

    return Fault("P", words, P, telling=telling), Fault("P", words, P, logs=logs, telling=telling)


def _columns(E: Array) -> Array:
    return np.asarray(E.sum(axis=0, keepdims=True))


def _again(flow: Flow) -> Array:
    E = np.exp(softmax(flow))
    return np.asarray(E / E.sum(axis=1, keepdims=True))


def _lost_axis(flow: Flow) -> Array:
    Z = flow["Z2"]
    top = Z.max(axis=1)
    return np.asarray(np.exp(Z - top - np.log(np.exp(Z - top[:, None]).sum(axis=1))))


def _off_all(flow: Flow, _amount: float) -> list[Array]:
    Z = flow["Z2"] - flow["Z2"].max()
    return [Z, np.exp(Z)]


kind = partial(Kind, part=Part.FORWARD)

SOFTMAX: tuple[Kind, ...] = (
    kind(
        code="softmax-no-max-shift",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="The logits go into exp as they are.",
        shows="forward.overflow, forward.row_max and backward.stable fail with nan or inf; "
        "ordinary cases pass.",
        why="exp(710) is inf in float64, exp(89) in float32, and inf / inf is nan. Softmax does\n"
        "not change when a constant is taken off a row, so no exponent need be above 0.",
        hint="Which constant, taken off each row, makes its largest exponent 0?",
        ask="What is exp(1000) in float64, and what may be taken off each row?",
        wrong="E = np.exp(Z2)\nP = E / E.sum(axis=1, keepdims=True)",
        right="E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))\n"
        "P = E / E.sum(axis=1, keepdims=True)",
        faults=(
            Fault(
                "shift",
                "no maximum is subtracted",
                lambda f: np.zeros((1, 1)),
                shows=Shows.EXTREMES,
                telling=lambda f, _: [np.exp(f["Z2"])],
            ),
        ),
        in_layer=LayerSite(calls("exp"), falls_back=True),
        repairs=(keep_right_part, keep_part, shift_by_max),
    ),
    kind(
        code="softmax-global-max",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="One maximum, that of the whole batch, is taken off every row.",
        shows="forward.row_max and backward.stable fail: rows far below the largest give 0 / 0.",
        why="A row 800 below the batch's maximum has only exp(−800) = 0: its sum is 0. With its\n"
        "own maximum every row's sum is at least 1.",
        hint="The shift must be a number per row; look at the axis of your max.",
        ask="What happens to a row whose logits are all 800 below the largest of the batch?",
        wrong="E = np.exp(Z2 - Z2.max())\nP = E / E.sum(axis=1, keepdims=True)",
        right="E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))\n"
        "P = E / E.sum(axis=1, keepdims=True)",
        faults=(
            Fault(
                "shift",
                "one maximum for the whole batch",
                lambda f: f["Z2"].max(),
                shows=Shows.EXTREMES,
                telling=_off_all,
            ),
        ),
        in_layer=LayerSite(calls("max", "amax"), falls_back=True),
        repairs=(change_reduction, keep_right_part, keep_part),
    ),
    kind(
        code="softmax-wrong-axis",
        centrality=Centrality.CORE_IDEA,
        what="The probabilities add up to one down the batch instead of across the classes.",
        shows="forward.loss fails; P's columns sum to 1, and at B = 1 every entry of P is 1.",
        why="Each example has a distribution over its C classes: Σ_k P[b, k] = 1 for each b.",
        hint="Print P.sum(axis=1): it should be B ones.",
        ask="Which sums of P should be one: those of its rows or those of its columns?",
        wrong="E = np.exp(Z2 - Z2.max(axis=0))\nP = E / E.sum(axis=0)",
        right="E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))\n"
        "P = E / E.sum(axis=1, keepdims=True)",
        faults=(
            Fault(
                "shift",
                "the maximum is taken over the batch",
                lambda f: f["Z2"].max(axis=0, keepdims=True),
            ),
            *_summed(
                "normalised over the batch",
                _columns,
                lambda f: np.asarray(f["Z2"].max(axis=0, keepdims=True)),
                telling=_totals(_columns),
            ),
            *_summed(
                "normalised over the batch, shifted by row", _columns, telling=_totals(_columns)
            ),
            *_summed("normalised over the whole array", np.sum, telling=_totals(np.sum)),
        ),
        repairs=(change_reduction, turn_all_axes),
    ),
    kind(
        code="double-softmax",
        centrality=Centrality.CORE_IDEA,
        what="Probabilities are put through softmax once more, as if they were logits.",
        shows="forward.loss fails; it stays near log C and never gets below log(1 + (C − 1)/e).",
        why="softmax(P) squeezes numbers from [0, 1]: no entry is above e / (e + C − 1).",
        hint="Count the exponentials between Z2 and the loss; there should be one per logit.",
        ask="How large can an entry of softmax(softmax(z)) become?",
        wrong="P = softmax(softmax(Z2))",
        right="P = softmax(Z2)",
        faults=(Fault("P", "softmax of softmax", _again),),
        in_pytorch="torch-double-softmax",
        repairs=(keep_right_part, keep_part),
    ),
    kind(
        code="softmax-wrong-broadcast",
        centrality=Centrality.ONE_TENSOR,
        what="A number per row is lined up with the columns, as the reduction lost its axis.",
        shows="forward.runs fails, as [B, C] / [B] does not fit; where B = C it does, and the "
        "loss is silently wrong.",
        why="E is [B, C], E.sum(axis=1) is [B]: broadcasting lines [B] up with C, not with B.",
        hint="Keep the reduced axis, so that the result is [B, 1].",
        ask="What is the shape of E.sum(axis=1), and which axis of E does it meet?",
        wrong="E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))\nP = E / E.sum(axis=1)",
        right="E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))\n"
        "P = E / E.sum(axis=1, keepdims=True)",
        faults=(
            Fault("shift", "the maximum lacks keepdims", lambda f: f["Z2"].max(axis=1)),
            *_summed("the sum lacks keepdims", lambda E: np.asarray(E.sum(axis=1))),
            Fault("P_used", "the log of the sum lacks keepdims, in backward", _lost_axis),
        ),
        covers=(Cover(("runtime-error",), lends_line=True),),
        placed=loses_dimension,
        repairs=(change_reduction, make_column),
    ),
)
