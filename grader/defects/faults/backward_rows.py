"""The fault table's rows for the backward pass, step by step and tensor by tensor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grader.defects.faults.activations import ACTIVATIONS
from grader.defects.faults.forward_rows import FORWARD_ROWS
from grader.problem.network import (
    LEAVES,
    RIGHT,
    Fault,
    Flow,
    Formula,
    batch,
    log_softmax,
    onehot,
    softmax,
)
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
        Fault(code, step, words, _times(factor, RIGHT[step]), scale=factor)
        for code, words, factor in SCALES
    )


def _constant_for_B(step: str) -> Fault:
    """A constant that stands where 1/B belongs: t is the constant's inverse."""
    right = RIGHT[step]
    return Fault(
        "hard-coded-size",
        step,
        "a constant in place of B",
        lambda f: 0.0 * right(f),
        direction=lambda f: batch(f) * right(f),
    )


def _jacobian(dP: Array, P: Array) -> Array:
    """Softmax's Jacobian applied to dP, row by row."""
    return np.asarray(P * (dP - (dP * P).sum(axis=1, keepdims=True)))


def _p_one_minus_p(flow: Flow) -> Array:
    P = flow["P"]
    return np.asarray((P - onehot(flow)) * P * (1 - P) / batch(flow))


def _used(fault: Fault) -> Fault:
    """A fault of the forward's softmax as one of the P that only backward works with."""
    if fault.probabilities is not None:
        formula = fault.probabilities
    elif fault.step == "shift":
        formula = _shifted(fault.formula)
    else:
        formula = fault.formula
    return Fault(fault.code, "P_used", f"{fault.variant}, in backward", formula)


def _shifted(shift: Formula) -> Formula:
    return lambda f: softmax({**f, "shift": np.asarray(shift(f))})


def _lost_axis(flow: Flow) -> Array:
    Z = flow["Z2"]
    top = Z.max(axis=1)
    return np.asarray(np.exp(Z - top - np.log(np.exp(Z - top[:, None]).sum(axis=1))))


STABILITY = ("softmax-no-max-shift", "softmax-global-max")
P_ROWS: tuple[Fault, ...] = (
    *(
        _used(f)
        for f in FORWARD_ROWS
        if (f.step in ("P", "shift") and f.code not in STABILITY and f.logs is None)
        or f.probabilities is not None
    ),
    Fault("softmax-wrong-broadcast", "P_used", "the log of the sum lacks keepdims", _lost_axis),
)
"""What the probabilities may be where the loss has its own way from the logits, and is right."""

UNSTABLE_P = tuple(_used(f) for f in FORWARD_ROWS if f.code in STABILITY)
"""The same, wrong on huge logits only."""


def _over_B(numerator: Formula) -> Formula:
    return lambda f: numerator(f) / batch(f)


def _instead_of_P(values: Formula) -> Formula:
    return lambda f: (values(f) - onehot(f)) / batch(f)


def _sigmoid(flow: Flow) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-flow["Z2"])))


def _squared_error(flow: Flow) -> Array:
    """The derivative of |P - Y|² by Z2, row by row."""
    return 2.0 * _jacobian(flow["P"] - onehot(flow), flow["P"])


def _of_p(flow: Flow) -> Array:
    """The derivative of 1 - p of the true class: the log is forgotten."""
    return _jacobian(-onehot(flow), flow["P"])


OTHER_LOSSES: tuple[tuple[str, Formula], ...] = (
    ("of a sigmoid for each class", _instead_of_P(_sigmoid)),
    ("of the squared error of P", _over_B(_squared_error)),
    ("of the mean squared error of P", lambda f: _squared_error(f) / f["P"].size),
    ("of -p, without the log", _over_B(_of_p)),
)

DZ2_ROWS: tuple[Fault, ...] = (
    *_scaled("dZ2"),
    Fault("grad-onehot-missing", "dZ2", "P / B", _over_B(lambda f: f["P"])),
    Fault("grad-softmax-derivative", "dZ2", "times P (1 - P)", _p_one_minus_p),
    *(
        Fault("grad-softmax-derivative", "dZ2", words, _over_B(formula))
        for words, formula in (
            ("times P", lambda f: (f["P"] - onehot(f)) * f["P"]),
            ("times 1 - P", lambda f: (f["P"] - onehot(f)) * (1 - f["P"])),
            ("the Jacobian on top", lambda f: _jacobian(f["P"] - onehot(f), f["P"])),
            ("the Jacobian's diagonal only", lambda f: -onehot(f) * (1 - f["P"])),
        )
    ),
    *(
        Fault("grad-from-logits", "dZ2", f"{words} - Y", _instead_of_P(values))
        for words, values in (
            ("Z2", lambda f: f["Z2"]),
            ("exp(Z2)", lambda f: np.exp(f["Z2"])),
            ("(Z2 - max)", lambda f: f["Z2"] - f["shift"]),
            ("exp(Z2 - max)", lambda f: np.exp(f["Z2"] - f["shift"])),
            ("log P", log_softmax),
        )
    ),
    *(Fault("grad-inconsistent-with-loss", "dZ2", words, dZ2) for words, dZ2 in OTHER_LOSSES),
    Fault(
        "relu-on-logits",
        "dZ2",
        "dZ2 is gated by Z2 > 0",
        lambda f: RIGHT["dZ2"](f) * (f["Z2"] > 0),
    ),
    _constant_for_B("dZ2"),
    Fault(
        "grad-inconsistent-with-loss",
        "dZ2",
        "of smoothed labels",
        RIGHT["dZ2"],
        direction=lambda f: (onehot(f) - 1.0 / f["Z2"].shape[1]) / batch(f),
    ),
)

DH1_ROWS: tuple[Fault, ...] = _scaled("dH1")
"""Beside a fault of dZ1 only: alone, they give what the same factor in dZ1 gives."""


def own_derivative(derivative: Callable[[Array], Array]) -> Formula:
    """dZ1 through another activation's derivative."""
    return lambda f: f["dH1"] * derivative(f["Z1"])


def _gated(gate: Formula) -> Formula:
    return lambda f: f["dH1"] * gate(f)


NO_GATES = ("a step", "the ReLU of -Z1")
"""Activations whose derivative says nothing: zero, and the inverted mask with the sign flipped."""

DZ1_ROWS: tuple[Fault, ...] = (
    Fault("relu-mask-missing", "dZ1", "dH1 is used as it is", lambda f: f["dH1"]),
    Fault("relu-mask-from-gradient", "dZ1", "dH1 > 0", _gated(lambda f: f["dH1"] > 0)),
    Fault(
        "relu-mask-from-gradient",
        "dZ1",
        "dH1 > 0 besides Z1 > 0",
        lambda f: f["dH1"] * (f["dH1"] > 0) * (f["Z1"] > 0),
    ),
    Fault("relu-mask-inverted", "dZ1", "Z1 <= 0", _gated(lambda f: f["Z1"] <= 0)),
    Fault("relu-mask-is-activation", "dZ1", "times H1", _gated(lambda f: f["H1"])),
    Fault("relu-mask-is-activation", "dZ1", "times Z1", _gated(lambda f: f["Z1"])),
    Fault(
        "relu-mask-is-activation",
        "dZ1",
        "times max(Z1, 0)",
        _gated(lambda f: np.maximum(f["Z1"], 0.0)),
    ),
    *(
        Fault(
            "relu-mask-is-activation",
            "dZ1",
            f"the derivative of {name}",
            own_derivative(d),
        )
        for name, _, d in ACTIVATIONS
        if name not in NO_GATES
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
        Fault(
            "bias-grad-over-everything",
            bias,
            "no axis, shape [1, 1]",
            lambda f: f[source].sum(keepdims=True),
        ),
    )


def _families(leaf: str) -> tuple[Fault, ...]:
    """A decay of the tensor itself, and a constant that stands where 1/B belongs."""
    return (
        Fault("grad-extra-term", leaf, "weight decay", RIGHT[leaf], direction=lambda f: f[leaf]),
        Fault(
            "grad-extra-term",
            leaf,
            "the sign of the weights",
            RIGHT[leaf],
            direction=lambda f: np.sign(f[leaf]),
        ),
        _constant_for_B(leaf),
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
