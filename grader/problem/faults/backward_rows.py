"""The fault table's rows for the backward pass, step by step and tensor by tensor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grader.problem.faults.flow import LEAVES, RIGHT, Fault, Flow, Formula, batch, onehot
from grader.problem.faults.forward_rows import ACTIVATIONS
from grader.records import Array

SCALES: tuple[tuple[str, str, Formula], ...] = (
    ("grad-missing-batch-mean", "1/B is missing", lambda f: np.asarray(batch(f))),
    ("grad-double-batch-mean", "1/B enters twice", lambda f: np.asarray(1 / batch(f))),
    ("grad-double-batch-mean", "1/B enters three times", lambda f: np.asarray(batch(f) ** -2)),
    (
        "grad-mean-over-classes",
        "divided by C besides",
        lambda f: np.asarray(1.0 / f["Z2"].shape[1]),
    ),
    (
        "grad-mean-over-classes",
        "divided by C in place of B",
        lambda f: np.asarray(batch(f) / f["Z2"].shape[1]),
    ),
    ("grad-sign", "the sign is flipped", lambda f: np.asarray(-1.0)),
)
"""(code, words, factor) of gradients that are right but for a constant factor."""


def _times(factor: Formula, formula: Formula) -> Formula:
    return lambda f: factor(f) * formula(f)


def _scaled(step: str) -> tuple[Fault, ...]:
    return tuple(
        Fault(code, step, words, _times(factor, RIGHT[step])) for code, words, factor in SCALES
    )


def _jacobian(dP: Array, P: Array) -> Array:
    """Softmax's Jacobian applied to dP, row by row."""
    return np.asarray(P * (dP - (dP * P).sum(axis=1, keepdims=True)))


def _p_one_minus_p(flow: Flow) -> Array:
    P = flow["P"]
    return np.asarray((P - onehot(flow)) * P * (1 - P) / batch(flow))


DZ2_ROWS: tuple[Fault, ...] = (
    *_scaled("dZ2"),
    Fault("grad-onehot-missing", "dZ2", "P / B", lambda f: f["P"] / batch(f)),
    Fault("grad-onehot-missing", "dZ2", "P", lambda f: f["P"]),
    Fault("grad-softmax-derivative", "dZ2", "times P (1 - P)", _p_one_minus_p),
    Fault(
        "grad-softmax-derivative",
        "dZ2",
        "times P",
        lambda f: (f["P"] - onehot(f)) * f["P"] / batch(f),
    ),
    Fault(
        "grad-softmax-derivative",
        "dZ2",
        "the Jacobian on top",
        lambda f: _jacobian(f["P"] - onehot(f), f["P"]) / batch(f),
    ),
    Fault("grad-from-logits", "dZ2", "Z2 - Y", lambda f: (f["Z2"] - onehot(f)) / batch(f)),
    Fault(
        "grad-from-logits",
        "dZ2",
        "exp(Z2) - Y",
        lambda f: (np.exp(f["Z2"]) - onehot(f)) / batch(f),
    ),
)


def own_derivative(derivative: Callable[[Array], Array]) -> Formula:
    """dZ1 through another activation's derivative."""
    return lambda f: f["dH1"] * derivative(f["Z1"])


def _gated(gate: Formula) -> Formula:
    return lambda f: f["dH1"] * gate(f)


DZ1_ROWS: tuple[Fault, ...] = (
    Fault("relu-mask-missing", "dZ1", "dH1 is used as it is", lambda f: f["dH1"]),
    Fault("relu-mask-from-gradient", "dZ1", "dH1 > 0", _gated(lambda f: f["dH1"] > 0)),
    Fault("relu-mask-inverted", "dZ1", "Z1 <= 0", _gated(lambda f: f["Z1"] <= 0)),
    Fault("relu-mask-is-activation", "dZ1", "times H1", _gated(lambda f: f["H1"])),
    Fault("relu-mask-is-activation", "dZ1", "times Z1", _gated(lambda f: f["Z1"])),
    *(
        Fault(
            "relu-mask-is-activation",
            "dZ1",
            f"the derivative of {name}",
            own_derivative(d),
        )
        for name, _, d in ACTIVATIONS
    ),
    Fault(
        "relu-mask-is-activation", "dZ1", "H1 (1 - H1)", _gated(lambda f: f["H1"] * (1 - f["H1"]))
    ),
    Fault("relu-mask-is-activation", "dZ1", "1 - H1²", _gated(lambda f: 1 - f["H1"] ** 2)),
    *_scaled("dZ1"),
    Fault(
        "weights-updated-early",
        "dZ1",
        "W2 is stepped before dH1 has passed it",
        RIGHT["dZ1"],
        direction=lambda f: (f["dZ2"] @ -(f["H1"].T @ f["dZ2"]).T) * (f["Z1"] > 0),
    ),
)


def _bias_rows(bias: str, source: str) -> tuple[Fault, ...]:
    return (
        Fault(
            "bias-grad-keepdims", bias, "shape [1, ·]", lambda f: f[source].sum(0, keepdims=True)
        ),
        Fault("bias-grad-not-summed", bias, "shape [B, ·]", lambda f: f[source]),
        Fault("bias-grad-mean", bias, "mean for sum", lambda f: f[source].mean(axis=0)),
        Fault(
            "bias-grad-mean",
            bias,
            "mean for sum, shape [1, ·]",
            lambda f: f[source].mean(0, keepdims=True),
        ),
        Fault("bias-grad-wrong-axis", bias, "axis 1", lambda f: f[source].sum(axis=1)),
        Fault("bias-grad-wrong-axis", bias, "axis 1", lambda f: f[source].sum(1, keepdims=True)),
        Fault("bias-grad-wrong-axis", bias, "axis 1, mean", lambda f: f[source].mean(axis=1)),
        Fault("bias-grad-over-everything", bias, "no axis", lambda f: np.asarray(f[source].sum())),
        Fault("bias-grad-over-everything", bias, "no axis", lambda f: np.asarray(f[source].mean())),
    )


def _families(leaf: str) -> tuple[Fault, ...]:
    """A decay of the tensor itself, and a constant that stands where 1/B belongs."""
    right = RIGHT[leaf]
    return (
        Fault("grad-extra-term", leaf, "weight decay", right, direction=lambda f: f[leaf]),
        Fault(
            "hard-coded-size",
            leaf,
            "a constant in place of B",
            lambda f: 0.0 * right(f),
            direction=lambda f: batch(f) * right(f),
        ),
    )


def _transposed(leaf: str) -> Fault:
    return Fault("grad-transposed", leaf, "the transpose", lambda f: RIGHT[leaf](f).T)


LEAF_ROWS: dict[str, tuple[Fault, ...]] = {
    "W2": (
        Fault("dw2-from-preactivation", "W2", "Z1.T @ dZ2", lambda f: f["Z1"].T @ f["dZ2"]),
        _transposed("W2"),
        *_scaled("W2"),
        *_families("W2"),
    ),
    "b2": (*_bias_rows("b2", "dZ2"), *_scaled("b2"), *_families("b2")),
    "W1": (
        Fault("relu-mask-missing", "W1", "X.T @ dH1", lambda f: f["X"].T @ f["dH1"]),
        _transposed("W1"),
        *_scaled("W1"),
        *_families("W1"),
    ),
    "b1": (
        Fault("relu-mask-missing", "b1", "dH1.sum(0)", lambda f: f["dH1"].sum(axis=0)),
        *_bias_rows("b1", "dZ1"),
        *_scaled("b1"),
        *_families("b1"),
    ),
    "X": (
        Fault("relu-mask-missing", "X", "dH1 @ W1.T", lambda f: f["dH1"] @ f["W1"].T),
        _transposed("X"),
        *_scaled("X"),
        *_families("X"),
        Fault(
            "weights-updated-early",
            "X",
            "W1 is stepped before dZ1 has passed it",
            RIGHT["X"],
            direction=lambda f: f["dZ1"] @ -(f["X"].T @ f["dZ1"]).T,
        ),
    ),
}
assert tuple(LEAF_ROWS) == LEAVES
