"""The fault table's rows for the loss: the log, the true class's entry, and the mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from grader.defects.faults.softmax_rows import of_label
from grader.problem.network import Fault, Flow, Formula, batch, log_softmax, rows
from grader.records import Array


def _mean_over(divisor: float) -> Formula:
    return lambda f: np.asarray(-f["picked"].mean() / divisor)


def _number(value: float) -> Formula:
    return lambda f: np.asarray(value)


def _squares(names: Sequence[str]) -> Formula:
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
    """log P [B, C] with the log of the sum, and only that, in another base."""

    def logs(flow: Flow) -> Array:
        Z = flow["Z2"] - flow["shift"]
        return np.asarray(Z - np.log(np.exp(Z).sum(axis=1, keepdims=True)) / np.log(base))

    return logs


def _exp(logs: Formula) -> Formula:
    return lambda f: np.exp(logs(f))


def _sizes(names: Sequence[str]) -> Formula:
    return lambda f: np.asarray(sum(float(np.abs(f[n]).sum()) for n in names))


def _norms(names: Sequence[str]) -> Formula:
    return lambda f: np.asarray(sum(float(np.sqrt((f[n] ** 2).sum())) for n in names))


def _unit(name: str) -> Formula:
    return lambda f: f[name] / np.sqrt((f[name] ** 2).sum())


def _twice(name: str) -> Formula:
    return lambda f: 2.0 * f[name]


def _sign(name: str) -> Formula:
    return lambda f: np.sign(f[name])


PENALTIES: tuple[tuple[str, Callable[[Sequence[str]], Formula], Callable[[str], Formula]], ...] = (
    ("the squares", _squares, _twice),
    ("the magnitudes", _sizes, _sign),
    ("the norm", _norms, _unit),
)
"""(words, the term of some tensors, its derivative by one of them)."""


def _log_p(flow: Flow) -> Array:
    return np.asarray(np.log(flow["P"][rows(flow)]))


def _epsilon(eps: float) -> Formula:
    return lambda f: np.log(f["P"][rows(f)] + eps)


def _clip(eps: float) -> Formula:
    return lambda f: np.log(np.clip(f["P"][rows(f)], eps, 1.0 - eps))


def _floor(eps: float) -> Formula:
    return lambda f: np.log(np.maximum(f["P"][rows(f)], eps))


def _log_of_P(flow: Flow) -> Array:
    return np.asarray(np.log(flow["P"]))


def _crosswise(logs: Formula) -> Formula:
    return lambda f: logs(f)[:, f["y"].astype(int)]


def _by_label(logs: Formula) -> Formula:
    return lambda f: logs(f)[f["y"].astype(int)]


def _likeliest(logs: Formula) -> Formula:
    return lambda f: logs(f).max(axis=1)


def _every(logs: Formula) -> Formula:
    return lambda f: logs(f).sum(axis=1)


def _column(logs: Formula, index: int = 0) -> Formula:
    return lambda f: logs(f)[:, index]


def _before(logs: Formula) -> Formula:
    return lambda f: logs(f)[np.arange(len(f["y"])), f["y"].astype(int) - 1]


def _last(logs: Formula) -> Formula:
    return _column(logs, -1)


GATHERS: tuple[tuple[str, Callable[[Formula], Formula]], ...] = (
    ("p[:, y]", _crosswise),
    ("p[y]", _by_label),
    ("the likeliest class", _likeliest),
    ("every class", _every),
    ("class 0", _column),
    ("the last class", _last),
    ("the class before", _before),
)
"""What is picked from log P [B, C]. With log(P) it underflows; with log-softmax it does not."""


def _smoothing(flow: Flow) -> Array:
    """What labels smoothed over the classes add to the mean, per unit of smoothing."""
    logs = log_softmax(flow)
    return np.asarray(logs[rows(flow)].mean() - logs.mean())


EPSILONS = (*(10.0**-k for k in range(3, 21)), 1e-100, 1e-300, 1e-308)
SUM = "summed over the batch"

LOSS_ROWS: tuple[Fault, ...] = (
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
    *(
        Fault("loss-wrong-gather", "picked", words, pick(logs))
        for words, pick in GATHERS
        for logs in (_log_of_P, log_softmax)
    ),
    Fault("loss-wrong-gather", "loss", "p[:, y], divided by B", _crossed(0)),
    Fault("loss-wrong-gather", "loss", "z[:, y] against the rows' sums", _crossed(1)),
    Fault("loss-wrong-gather", "loss", "z[:, y] against the rows' sums, mean", _crossed(2)),
    *(
        Fault(
            "loss-log-base",
            "picked",
            f"log{base} of the sum",
            of_label(_mixed_logs(base)),
            probabilities=_exp(_mixed_logs(base)),
        )
        for base in (2, 10)
    ),
    Fault(
        "hard-coded-size",
        "loss",
        "divided by a constant",
        _number(0.0),
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
        "loss-unexplained",
        "loss",
        "divided by B once more",
        lambda f: np.asarray(-f["picked"].mean() / batch(f)),
        scale=lambda f: np.asarray(1.0 / batch(f)),
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
            scale=_number(1.0 / float(np.log(base))),
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
    Fault("loss-not-scalar", "loss", "shape [B, 1]", lambda f: -f["picked"][:, None]),
    Fault(
        "loss-not-scalar",
        "loss",
        "shape [B, 1], divided by B",
        lambda f: -f["picked"][:, None] / batch(f),
    ),
    Fault(
        "loss-not-scalar",
        "loss",
        "shape (1, 1)",
        lambda f: -f["picked"][:, None].mean(keepdims=True),
    ),
    *(
        Fault(
            "loss-extra-term",
            "loss",
            f"{kind} of {words}",
            lambda f: np.asarray(-f["picked"].mean()),
            direction=penalty(names),
            gains=tuple((n, slope(n)) for n in names),
        )
        for kind, penalty, slope in PENALTIES
        for words, names in (
            ("W1 and W2", ("W1", "W2")),
            ("W1", ("W1",)),
            ("W2", ("W2",)),
            ("all parameters", ("W1", "W2", "b1", "b2")),
        )
    ),
    Fault(
        "loss-extra-term",
        "loss",
        "smoothed labels",
        lambda f: np.asarray(-f["picked"].mean()),
        direction=_smoothing,
    ),
)
