"""What a wrong layer gives, array by array: the layers' own small fault table.

A row is the formula of one array with one mistake in it. The arrays are those of a stack
with a single layer: `out`, `loss`, `dx0`, `dW0`, `db0`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from grader.defects.faults.activations import ACTIVATIONS
from grader.records import Array

Given = Mapping[str, Array]
"""`x`, `W0`, `b0`, `upstream`, `y`, and of the loss also `P`, `onehot` and `losses` [B]."""


@dataclass(frozen=True, slots=True)
class LayerFault:
    """`array` as a layer of this kind gives it with the mistake `code`."""

    code: str
    kind: str
    array: str
    gives: Callable[[Given], Array | np.floating]


def with_probabilities(inputs: Given) -> Given:
    """The inputs of the loss alone with what its formulas are made of."""
    logits, labels = inputs["x"], inputs["y"]
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exp = np.exp(shifted)
    total = exp.sum(axis=1, keepdims=True)
    onehot = np.zeros_like(logits)
    onehot[rows, labels] = 1.0
    losses = np.log(total[:, 0]) - shifted[rows, labels]
    return {**inputs, "P": exp / total, "onehot": onehot, "losses": losses}


def _rows_of(values: Given) -> float:
    return float(len(values["x"]))


def _dZ(values: Given) -> Array:
    return np.asarray(values["P"] - values["onehot"])


def _relu(values: Given) -> Array:
    return np.asarray(np.maximum(values["x"], 0.0))


def _softmax(values: Array, axis: int) -> Array:
    exp = np.exp(values - values.max(axis=axis, keepdims=True))
    return np.asarray(exp / exp.sum(axis=axis, keepdims=True))


def _twice(values: Given) -> Array:
    return _softmax(values["P"], 1)


def _down_the_batch(values: Given) -> Array:
    return _softmax(values["x"], 0)


def _loss_of(made: Callable[[Given], Array]) -> Callable[[Given], Array]:
    """The loss of other probabilities than the right ones."""
    return lambda v: np.asarray(-np.log(made(v)[v["onehot"] > 0]).mean())


def _composed(made: Callable[[Given], Array]) -> Callable[[Given], Array]:
    """The composed gradient with those probabilities: the same mistake, seen once more."""
    return lambda v: (made(v) - v["onehot"]) / _rows_of(v)


LINEAR_ROWS = (
    LayerFault("bias-missing", "linear", "out", lambda v: v["x"] @ v["W0"]),
    LayerFault("grad-transposed", "linear", "dW0", lambda v: v["upstream"].T @ v["x"]),
    LayerFault(
        "grad-double-batch-mean", "linear", "dW0", lambda v: v["x"].T @ v["upstream"] / _rows_of(v)
    ),
    LayerFault(
        "grad-double-batch-mean", "linear", "dx0", lambda v: v["upstream"] @ v["W0"].T / _rows_of(v)
    ),
    LayerFault("grad-sign", "linear", "dW0", lambda v: -v["x"].T @ v["upstream"]),
    LayerFault("grad-sign", "linear", "db0", lambda v: -v["upstream"].sum(axis=0)),
    LayerFault("grad-sign", "linear", "dx0", lambda v: -v["upstream"] @ v["W0"].T),
    LayerFault("bias-grad-not-summed", "linear", "db0", lambda v: v["upstream"]),
    LayerFault("bias-grad-mean", "linear", "db0", lambda v: v["upstream"].mean(axis=0)),
    LayerFault("bias-grad-wrong-axis", "linear", "db0", lambda v: v["upstream"].sum(axis=1)),
    LayerFault("bias-grad-over-everything", "linear", "db0", lambda v: v["upstream"].sum()),
    LayerFault(
        "bias-grad-keepdims", "linear", "db0", lambda v: v["upstream"].sum(axis=0, keepdims=True)
    ),
)

RELU_ROWS = (
    LayerFault("relu-missing", "relu", "out", lambda v: v["x"]),
    LayerFault("relu-mask-missing", "relu", "dx0", lambda v: v["upstream"]),
    LayerFault(
        "relu-mask-from-gradient", "relu", "dx0", lambda v: np.maximum(v["upstream"], 0.0)
    ),
    LayerFault(
        "relu-mask-from-gradient", "relu", "dx0",
        lambda v: np.maximum(v["upstream"], 0.0) * (v["x"] > 0),
    ),
    LayerFault("relu-mask-inverted", "relu", "dx0", lambda v: v["upstream"] * (v["x"] <= 0)),
    LayerFault("relu-mask-is-activation", "relu", "dx0", lambda v: v["upstream"] * _relu(v)),
)  # fmt: skip

LOSS_ROWS = (
    LayerFault("loss-sum-not-mean", "loss", "loss", lambda v: v["losses"].sum()),
    LayerFault(
        "loss-mean-over-elements", "loss", "loss", lambda v: v["losses"].sum() / v["x"].size
    ),
    LayerFault("loss-sign", "loss", "loss", lambda v: -v["losses"].mean()),
    LayerFault("loss-log-base", "loss", "loss", lambda v: v["losses"].mean() / np.log(2.0)),
    LayerFault("loss-log-base", "loss", "loss", lambda v: v["losses"].mean() / np.log(10.0)),
    LayerFault("loss-not-scalar", "loss", "loss", lambda v: v["losses"]),
    LayerFault("loss-not-scalar", "loss", "loss", lambda v: v["losses"][:, None]),
    LayerFault("loss-not-scalar", "loss", "loss", lambda v: v["losses"].mean(keepdims=True)),
    LayerFault("loss-log-base", "loss", "dx0", lambda v: _dZ(v) / _rows_of(v) / np.log(2.0)),
    LayerFault("loss-log-base", "loss", "dx0", lambda v: _dZ(v) / _rows_of(v) / np.log(10.0)),
    LayerFault("double-softmax", "loss", "loss", _loss_of(_twice)),
    LayerFault("double-softmax", "loss", "dx0", _composed(_twice)),
    LayerFault("softmax-wrong-axis", "loss", "loss", _loss_of(_down_the_batch)),
    LayerFault("softmax-wrong-axis", "loss", "dx0", _composed(_down_the_batch)),
    LayerFault(
        "loss-wrong-gather", "loss", "loss", lambda v: -np.log(v["P"][:, v["y"]]).mean()
    ),
    LayerFault("grad-missing-batch-mean", "loss", "dx0", _dZ),
    LayerFault("grad-double-batch-mean", "loss", "dx0", lambda v: _dZ(v) / _rows_of(v) ** 2),
    LayerFault("grad-mean-over-classes", "loss", "dx0", lambda v: _dZ(v) / v["x"].shape[1]),
    LayerFault("grad-mean-over-classes", "loss", "dx0", lambda v: _dZ(v) / v["x"].size),
    LayerFault("grad-sign", "loss", "dx0", lambda v: -_dZ(v) / _rows_of(v)),
    LayerFault("grad-onehot-missing", "loss", "dx0", lambda v: v["P"] / _rows_of(v)),
    LayerFault("grad-from-logits", "loss", "dx0", lambda v: (v["x"] - v["onehot"]) / _rows_of(v)),
    LayerFault(
        "grad-softmax-derivative", "loss", "dx0",
        lambda v: _dZ(v) * v["P"] * (1 - v["P"]) / _rows_of(v),
    ),
)  # fmt: skip

LAYER_ROWS = (*LINEAR_ROWS, *RELU_ROWS, *LOSS_ROWS)

OWN_GRADIENT: Mapping[str, str] = {
    "loss-sum-not-mean": "grad-missing-batch-mean",
    "loss-mean-over-elements": "grad-mean-over-classes",
    "loss-sign": "grad-sign",
}
"""A wrong loss, and the gradient that is right for it: together they are one mistake."""


def other_activation(given: Given, out: Array, dx: Array | None, close: float) -> tuple[str, bool]:
    """The name of the activation that `out` is, and whether `dx` has its slope; "" for none."""
    for name, value, slope in ACTIVATIONS:
        with np.errstate(all="ignore"):
            if out.shape == given["x"].shape and np.abs(out - value(given["x"])).max() <= close:
                own = given["upstream"] * slope(given["x"])
                return name, dx is not None and bool(np.abs(dx - own).max() <= close)
    return "", False
