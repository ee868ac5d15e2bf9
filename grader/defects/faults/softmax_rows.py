"""The fault table's rows for the softmax: the shift by the maximum, and P."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grader.problem.network import Fault, Flow, Formula, rows, softmax
from grader.records import Array


def of_label(matrix: Formula) -> Formula:
    """The entry [B] of each row's true class in a matrix [B, C]."""
    return lambda f: matrix(f)[rows(f)]


def _again(flow: Flow) -> Array:
    E = np.exp(softmax(flow))
    return np.asarray(E / E.sum(axis=1, keepdims=True))


def _of_columns(E: Array) -> Array:
    return np.asarray(E.sum(axis=0, keepdims=True))


def _of_all(E: Array) -> Array:
    return np.asarray(E.sum())


def _of_rows_flat(E: Array) -> Array:
    return np.asarray(E.sum(axis=1))


def _given(flow: Flow) -> Array:
    return flow["shift"]


def _own_top(flow: Flow) -> Array:
    return np.asarray(flow["Z2"].max(axis=0, keepdims=True))


def _summed(
    code: str, words: str, total: Callable[[Array], Array], top: Formula = _given
) -> tuple[Fault, Fault]:
    """exp(Z2 - top) over a wrong total of it; its log is taken of P, or without ever taking P."""

    def P(flow: Flow) -> Array:
        E = np.exp(flow["Z2"] - top(flow))
        return np.asarray(E / total(E))

    def logs(flow: Flow) -> Array:
        Z = flow["Z2"] - top(flow)
        return np.asarray(Z - np.log(total(np.exp(Z))))

    return Fault(code, "P", words, P), Fault(code, "P", words, P, logs=logs)


SOFTMAX_ROWS: tuple[Fault, ...] = (
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
    *_summed("softmax-wrong-axis", "normalised over the batch", _of_columns, _own_top),
    *_summed("softmax-wrong-axis", "normalised over the batch, shifted by row", _of_columns),
    *_summed("softmax-wrong-axis", "normalised over the whole array", _of_all),
    Fault("double-softmax", "P", "softmax of softmax", _again),
    *_summed("softmax-wrong-broadcast", "the sum lacks keepdims", _of_rows_flat),
)
