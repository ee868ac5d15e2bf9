"""The fault table's rows for the forward pass (and what each does to the loss)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from grader.problem.faults.flow import Fault, Flow, Formula, batch, rows, softmax
from grader.records import Array


def _logit_axis_softmax(flow: Flow) -> Array:
    E = np.exp(flow["Z2"] - flow["Z2"].max(axis=0, keepdims=True))
    return np.asarray(E / E.sum(axis=0, keepdims=True))


def _batch_softmax(flow: Flow) -> Array:
    E = np.exp(flow["Z2"] - flow["shift"])
    return np.asarray(E / E.sum(axis=0, keepdims=True))


def _again(flow: Flow) -> Array:
    E = np.exp(softmax(flow))
    return np.asarray(E / E.sum(axis=1, keepdims=True))


def _without_keepdims(flow: Flow) -> Array:
    E = np.exp(flow["Z2"] - flow["shift"])
    return np.asarray(E / E.sum(axis=1))


def _one_sum(flow: Flow) -> Array:
    E = np.exp(flow["Z2"] - flow["shift"])
    return np.asarray(E / E.sum())


def _slope(slope: float) -> Callable[[Array], Array]:
    return lambda Z: np.where(Z > 0, 1.0, slope)


def _of_Z1(activation: Callable[[Array], Array]) -> Formula:
    return lambda f: activation(f["Z1"])


def _mean_over(divisor: float) -> Formula:
    return lambda f: np.asarray(-f["picked"].mean() / divisor)


def _constant(value: float) -> Formula:
    return lambda f: np.asarray(value)


def _squares(names: tuple[str, ...]) -> Formula:
    return lambda f: np.asarray(sum(float((f[n] ** 2).sum()) for n in names))


def _crossed(form: int) -> Formula:
    """The losses of p[:, y], or of z[:, y] broadcast against the rows' logs of sums."""

    def loss(flow: Flow) -> Array:
        y = flow["y"].astype(int)
        log_sum = np.log(np.exp(flow["Z2"] - flow["shift"]).sum(axis=1)) + flow["shift"].ravel()
        if form == 0:
            return np.asarray(-np.log(flow["P"][:, y]).sum() / batch(flow))
        total = (log_sum - flow["Z2"][:, y]).sum()
        return np.asarray(total / batch(flow) ** form)

    return loss


def _mixed_logs(base: int) -> Formula:
    def picked(flow: Flow) -> Array:
        Z = flow["Z2"] - flow["shift"]
        return np.asarray(Z[rows(flow)] - np.log(np.exp(Z).sum(axis=1)) / np.log(base))

    return picked


def _sizes(names: tuple[str, ...]) -> Formula:
    return lambda f: np.asarray(sum(float(np.abs(f[n]).sum()) for n in names))


def _norms(names: tuple[str, ...]) -> Formula:
    return lambda f: np.asarray(sum(float(np.sqrt((f[n] ** 2).sum())) for n in names))


def _per_row(bias: Array, flow: Flow) -> Array:
    return bias[:, None] if len(bias) == len(flow["X"]) else bias


def _sigmoid(Z: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-Z)))


def _gauss(Z: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.vectorize(math.erf)(Z / math.sqrt(2.0))))


def _bell(Z: Array) -> Array:
    return np.asarray(np.exp(-Z * Z / 2.0) / math.sqrt(2.0 * math.pi))


def _leaky(slope: float) -> Callable[[Array], Array]:
    return lambda Z: np.where(Z > 0, Z, slope * Z)


ACTIVATIONS: tuple[tuple[str, Callable[[Array], Array], Callable[[Array], Array]], ...] = (
    ("tanh", np.tanh, lambda Z: 1.0 - np.tanh(Z) ** 2),
    ("sigmoid", _sigmoid, lambda Z: _sigmoid(Z) * (1.0 - _sigmoid(Z))),
    ("abs", np.abs, np.sign),
    *(
        (f"leaky ReLU with slope {s:g}", _leaky(s), _slope(s))
        for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.001)
    ),
    ("ELU", lambda Z: np.where(Z > 0, Z, np.expm1(Z)), lambda Z: np.where(Z > 0, 1.0, np.exp(Z))),
    ("softplus", lambda Z: np.logaddexp(0.0, Z), _sigmoid),
    ("the square", np.square, lambda Z: 2.0 * Z),
    ("a ReLU capped at 1", lambda Z: np.clip(Z, 0.0, 1.0), lambda Z: 1.0 * ((Z > 0) & (Z < 1))),
    ("a ReLU capped at 6", lambda Z: np.clip(Z, 0.0, 6.0), lambda Z: 1.0 * ((Z > 0) & (Z < 6))),
    ("a step", lambda Z: 1.0 * (Z > 0), lambda Z: 0.0 * Z),
    ("min in place of max", lambda Z: np.minimum(Z, 0.0), lambda Z: 1.0 * (Z < 0)),
    ("sine", np.sin, np.cos),
    ("GELU", lambda Z: Z * _gauss(Z), lambda Z: _gauss(Z) + Z * _bell(Z)),
    ("softsign", lambda Z: Z / (1 + np.abs(Z)), lambda Z: 1 / (1 + np.abs(Z)) ** 2),
    ("SiLU", lambda Z: Z * _sigmoid(Z), lambda Z: _sigmoid(Z) * (1 + Z * (1 - _sigmoid(Z)))),
)
"""(name, function, derivative) of what candidates put in the ReLU's place."""


def _log_p(flow: Flow) -> Array:
    return np.asarray(np.log(flow["P"][rows(flow)]))


def _epsilon(eps: float) -> Formula:
    return lambda f: np.log(f["P"][rows(f)] + eps)


def _clip(eps: float) -> Formula:
    return lambda f: np.log(np.clip(f["P"][rows(f)], eps, 1.0 - eps))


def _floor(eps: float) -> Formula:
    return lambda f: np.log(np.maximum(f["P"][rows(f)], eps))


EPSILONS = (*(10.0**-k for k in range(3, 21)), 1e-100, 1e-300, 1e-308)
SUM = "summed over the batch"

FORWARD_ROWS: tuple[Fault, ...] = (
    Fault("bias-missing", "Z1", "b1 is not added", lambda f: f["X"] @ f["W1"]),
    Fault(
        "bias-wrong-axis",
        "Z1",
        "b1 is added per example",
        lambda f: f["X"] @ f["W1"] + f["b1"][:, None],
    ),
    Fault(
        "bias-wrong-axis",
        "Z1",
        "b1 is added per example where the sizes allow it",
        lambda f: f["X"] @ f["W1"] + _per_row(f["b1"], f),
    ),
    Fault("relu-missing", "H1", "there is no ReLU", lambda f: f["Z1"]),
    *(
        Fault("relu-replaced", "H1", f"{name} in place of the ReLU", _of_Z1(g))
        for name, g, _ in ACTIVATIONS
    ),
    Fault("bias-missing", "Z2", "b2 is not added", lambda f: f["H1"] @ f["W2"]),
    Fault(
        "bias-wrong-axis",
        "Z2",
        "b2 is added per example",
        lambda f: f["H1"] @ f["W2"] + f["b2"][:, None],
    ),
    Fault(
        "bias-wrong-axis",
        "Z2",
        "b2 is added per example where the sizes allow it",
        lambda f: f["H1"] @ f["W2"] + _per_row(f["b2"], f),
    ),
    Fault(
        "relu-on-logits",
        "Z2",
        "ReLU is applied to Z2 as well",
        lambda f: np.maximum(f["H1"] @ f["W2"] + f["b2"], 0.0),
    ),
    Fault("softmax-no-max-shift", "shift", "no maximum is subtracted", lambda f: np.zeros((1, 1))),
    Fault(
        "softmax-global-max", "shift", "one maximum for the whole batch", lambda f: f["Z2"].max()
    ),
    Fault(
        "softmax-wrong-axis",
        "shift",
        "the maximum is taken over the batch",
        lambda f: f["Z2"].max(axis=0, keepdims=True),
    ),
    Fault(
        "softmax-wrong-broadcast",
        "shift",
        "the maximum lacks keepdims",
        lambda f: f["Z2"].max(axis=1),
    ),
    Fault("softmax-wrong-axis", "P", "normalised over the batch", _logit_axis_softmax),
    Fault("softmax-wrong-axis", "P", "normalised over the batch, shifted by row", _batch_softmax),
    Fault("softmax-wrong-axis", "P", "normalised over the whole array", _one_sum),
    Fault("double-softmax", "P", "softmax of softmax", _again),
    Fault("softmax-wrong-broadcast", "P", "the sum lacks keepdims", _without_keepdims),
    Fault("loss-log-underflow", "picked", "the log of the probability is taken", _log_p),
    *(
        Fault("loss-log-epsilon", "picked", f"log(p + {e:g})", _epsilon(e))
        for e in (*EPSILONS, 1e-2)
    ),
    *(
        Fault("loss-log-epsilon", "picked", f"p clipped to [{e:g}, 1 - {e:g}]", _clip(e))
        for e in EPSILONS
    ),
    *(Fault("loss-log-epsilon", "picked", f"p no less than {e:g}", _floor(e)) for e in EPSILONS),
    Fault(
        "loss-wrong-gather",
        "picked",
        "p[:, y]",
        lambda f: np.log(f["P"][:, f["y"].astype(int)]),
    ),
    Fault("loss-wrong-gather", "picked", "p[y]", lambda f: np.log(f["P"][f["y"].astype(int)])),
    Fault(
        "loss-wrong-gather", "picked", "the likeliest class", lambda f: np.log(f["P"].max(axis=1))
    ),
    Fault("loss-wrong-gather", "picked", "every class", lambda f: np.log(f["P"]).sum(axis=1)),
    Fault("loss-wrong-gather", "picked", "class 0", lambda f: np.log(f["P"][:, 0])),
    Fault("loss-wrong-gather", "loss", "p[:, y], divided by B", _crossed(0)),
    Fault("loss-wrong-gather", "loss", "z[:, y] against the rows' sums", _crossed(1)),
    Fault("loss-wrong-gather", "loss", "z[:, y] against the rows' sums, mean", _crossed(2)),
    *(
        Fault("loss-log-base", "picked", f"log{base} of the sum", _mixed_logs(base))
        for base in (2, 10)
    ),
    Fault(
        "hard-coded-size",
        "loss",
        "divided by a constant",
        _constant(0.0),
        direction=lambda f: np.asarray(-f["picked"].sum()),
    ),
    Fault(
        "loss-sum-not-mean",
        "loss",
        SUM,
        lambda f: np.asarray(-f["picked"].sum()),
        scale=lambda f: np.asarray(batch(f)),
    ),
    Fault(
        "loss-mean-over-elements",
        "loss",
        "divided by B·C",
        lambda f: np.asarray(-f["picked"].sum() / f["Z2"].size),
        scale=lambda f: np.asarray(1.0 / f["Z2"].shape[1]),
    ),
    Fault(
        "loss-mean-over-elements",
        "loss",
        "divided by C",
        lambda f: np.asarray(-f["picked"].sum() / f["Z2"].shape[1]),
        scale=lambda f: np.asarray(batch(f) / f["Z2"].shape[1]),
    ),
    Fault(
        "loss-sign",
        "loss",
        "the minus is lost",
        lambda f: np.asarray(f["picked"].mean()),
        scale=lambda f: np.asarray(-1.0),
    ),
    *(
        Fault(
            "loss-log-base",
            "loss",
            f"log{base}",
            _mean_over(float(np.log(base))),
            scale=_constant(1.0 / float(np.log(base))),
        )
        for base in (2, 10)
    ),
    Fault("loss-not-scalar", "loss", "one loss per example", lambda f: -f["picked"]),
    Fault(
        "loss-not-scalar",
        "loss",
        "one loss per example, divided by B",
        lambda f: -f["picked"] / batch(f),
    ),
    Fault("loss-not-scalar", "loss", "shape (1,)", lambda f: -f["picked"].mean(keepdims=True)),
    *(
        Fault(
            "loss-extra-term",
            "loss",
            f"{kind} of {words}",
            lambda f: np.asarray(-f["picked"].mean()),
            direction=penalty(names),
        )
        for kind, penalty in (
            ("the squares", _squares),
            ("the magnitudes", _sizes),
            ("the norm", _norms),
        )
        for words, names in (
            ("W1 and W2", ("W1", "W2")),
            ("W1", ("W1",)),
            ("W2", ("W2",)),
            ("all parameters", ("W1", "W2", "b1", "b2")),
        )
    ),
)


def with_own_log(faults: tuple[Fault, ...]) -> dict[str, Fault]:
    """Faults by step. Who changes P takes the log of that P, not of the right one."""
    steps = {f.step: f for f in faults}
    if "P" in steps and "picked" not in steps:
        steps["picked"] = next(f for f in FORWARD_ROWS if f.code == "loss-log-underflow")
    return steps
