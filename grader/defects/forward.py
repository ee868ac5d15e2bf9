"""Mistakes in the two layers of the forward pass; the PyTorch part can have them too."""

from __future__ import annotations

from functools import partial

import numpy as np

from grader.defects.activations import ACTIVATIONS, NAIVE, SLOPES, Elementwise
from grader.defects.edits.formulas import activate, add_bias
from grader.defects.edits.toggles import keep_part, keep_right_part
from grader.defects.faults import of_Z1
from grader.defects.kind import Centrality, Cover, Kind, Within
from grader.defects.names import ACTIVATION, PRE_ACTIVATION, HandedOn
from grader.defects.sites.network import other_branch
from grader.problem.network import RIGHT, Fault, Flow, Formula
from grader.records import Array, Part


def _per_row(bias: Array, flow: Flow) -> Array:
    return bias[:, None] if len(bias) == len(flow["X"]) else bias


LAYERS = (("Z1", "X", "W1", "b1"), ("Z2", "H1", "W2", "b2"))
"""(step, inputs, weights, bias)."""


def _without_bias(step: str, inputs: str, weights: str, bias: str) -> Fault:
    def less(flow: Flow) -> Array:
        return np.asarray(-flow[f"d{step}"].sum(axis=0))

    product: Formula = lambda f: np.asarray(f[inputs] @ f[weights])  # noqa: E731
    return Fault(step, f"{bias} is not added", product, gains=((bias, less),))


def _bias_across(step: str, inputs: str, weights: str, bias: str) -> tuple[Fault, Fault]:
    """A bias down the batch, and what the loss's own gradient of it then is."""

    def across(flow: Flow) -> Array:
        along = 1 if len(flow[bias]) == len(flow["X"]) else 0
        upstream = flow[f"d{step}"]
        return np.asarray(upstream.sum(axis=along) - upstream.sum(axis=0))

    def always(flow: Flow) -> Array:
        return np.asarray(flow[inputs] @ flow[weights] + flow[bias][:, None])

    def where_it_fits(flow: Flow) -> Array:
        return np.asarray(flow[inputs] @ flow[weights] + _per_row(flow[bias], flow))

    words, gains = f"{bias} is added per example", ((bias, across),)
    return (
        Fault(step, words, always, gains=gains),
        Fault(step, f"{words} where the sizes allow it", where_it_fits, gains=gains),
    )


def _activation(name: str, function: Elementwise, slope: Elementwise) -> Fault:
    """Another activation in the ReLU's place."""
    words = f"{name} in place of the ReLU"
    return Fault("H1", words, of_Z1(function), slope=of_Z1(slope))


def _capped(cap: float) -> Fault:
    """A ReLU with an upper bound."""
    return _activation(
        f"np.clip(Z1, 0, {cap:g})",
        lambda Z: np.clip(Z, 0.0, cap),
        lambda Z: 1.0 * ((Z > 0) & (cap > Z)),
    )


CAPS = (1.0, 2.0, 5.0, 6.0)
"""Upper bounds in use: 1 of a unit interval, 6 of ReLU6 (Krizhevsky 2010)."""

CAPPED = ("a ReLU capped at 1", "a ReLU capped at 6")
"""Of the other activations, those that are ReLUs with a bound."""

kind = partial(Kind, part=Part.FORWARD)

FORWARD: tuple[Kind, ...] = (
    kind(
        code="bias-missing",
        centrality=Centrality.CHAIN_STEP,
        what="A layer multiplies by its weights but leaves its bias out.",
        shows="forward.loss and every gradient fail; Z1 or Z2 is off by the same row everywhere.",
        why="Z1 = X @ W1 + b1: without the bias every unit's threshold is stuck at 0, and the\n"
        "true ∂loss/∂b1 would be 0.",
        hint="Compare each layer's line with Z = input @ W + b, term by term.",
        ask="What does the bias do for a unit, and where does yours enter Z1 and Z2?",
        wrong="Z1 = X @ W1",
        right="Z1 = X @ W1 + b1",
        faults=tuple(_without_bias(*layer) for layer in LAYERS),
        covers=(Cover(("torch-leaf-without-grad",), Within.PART, tensors=("b1", "b2")),),
        repairs=(add_bias,),
    ),
    kind(
        code="bias-wrong-axis",
        centrality=Centrality.ONE_TENSOR,
        what="The bias runs down the batch, so each example has its own and the units share it.",
        shows="forward.runs fails, as the shapes do not fit; where B = H or B = C they do, and "
        "forward.bias fails instead.",
        why="b1 has shape [H] and belongs to columns; b1[:, None] is [H, 1], one per row.",
        hint="Write down both shapes and line them up from the right, as broadcasting does.",
        ask="Which axis of Z1 does b1 belong to, and how does broadcasting line it up?",
        wrong="Z1 = X @ W1 + b1[:, None]",
        right="Z1 = X @ W1 + b1  # [B, H] + [H]",
        faults=tuple(fault for layer in LAYERS for fault in _bias_across(*layer)),
        covers=(Cover(("runtime-error",), lends_line=True),),
        placed=other_branch,
        repairs=(keep_part,),
    ),
    kind(
        code="relu-missing",
        centrality=Centrality.CORE_IDEA,
        what="Nothing nonlinear stands between the two layers.",
        shows="forward.loss fails; no entry of the cache is Z1 with its negatives set to 0.",
        why="Without ReLU, Z2 = X @ (W1 @ W2) + const: the two layers are one linear map.",
        hint="See what comes between Z1 and the second matrix product.",
        ask="What is the network without a ReLU between its two layers?",
        wrong="H1 = Z1",
        right="H1 = np.maximum(Z1, 0)",
        faults=(
            Fault(
                "H1", "there is no ReLU", lambda f: f["Z1"], slope=lambda f: np.ones_like(f["Z1"])
            ),
        ),
        handed_on=HandedOn(ACTIVATION, PRE_ACTIVATION),
        repairs=(activate,),
    ),
    kind(
        code="relu-replaced",
        centrality=Centrality.CHAIN_STEP,
        what="Another activation stands where ReLU was asked for.",
        shows="forward.loss fails; H1 equals Z1 where positive (leaky) or nowhere (tanh).",
        why="ReLU(z) = max(z, 0): exactly 0 below zero, and not a small slope or a squashed value.",
        hint="Evaluate your activation at -1, 0 and 2: ReLU gives 0, 0 and 2.",
        ask="What does ReLU give for -1, and what does your activation give?",
        wrong="H1 = np.where(Z1 > 0, Z1, 0.01 * Z1)",
        right="H1 = np.maximum(Z1, 0)",
        faults=(
            *(_activation(*row) for row in ACTIVATIONS if row[0] not in CAPPED),
            *(_activation(name, function, SLOPES[name]) for name, function in NAIVE),
        ),
        repairs=(activate,),
    ),
    kind(
        code="relu-clipped",
        centrality=Centrality.CHAIN_STEP,
        what="The ReLU has an upper bound as well.",
        shows="forward.loss fails where a pre-activation is large; H1 is never above the bound.",
        why="ReLU(z) = max(z, 0) grows without end, with slope 1. A bound makes the slope 0 above\n"
        "it, which is another network (ReLU6).",
        hint="Evaluate your activation at -1, 2 and 100: ReLU gives 0, 2 and 100.",
        ask="What does your activation give for 100, and what is its slope there?",
        wrong="H1 = np.clip(Z1, 0, 6)",
        right="H1 = np.maximum(Z1, 0)",
        faults=tuple(map(_capped, CAPS)),
        repairs=(activate,),
    ),
    kind(
        code="relu-on-logits",
        centrality=Centrality.CHAIN_STEP,
        what="The output layer is rectified as the hidden one is.",
        shows="forward.loss fails; Z2 has no negative entry, though its expected value has.",
        why="Logits are log-probabilities up to a constant and may be negative: clipping hides\n"
        "which of two unlikely classes is less likely.",
        hint="Only the hidden layer has an activation of its own; look after the second layer.",
        ask="May a logit be negative, and what does a ReLU on the logits take away?",
        wrong="Z2 = np.maximum(H1 @ W2 + b2, 0)",
        right="Z2 = H1 @ W2 + b2",
        faults=(
            Fault(
                "Z2",
                "ReLU is applied to Z2 as well",
                lambda f: np.maximum(f["H1"] @ f["W2"] + f["b2"], 0.0),
                slope=lambda f: f["Z2"] > 0,
            ),
            Fault("dZ2", "dZ2 is gated by Z2 > 0", lambda f: RIGHT["dZ2"](f) * (f["Z2"] > 0)),
        ),
        repairs=(keep_right_part, keep_part),
    ),
)
