"""The fault table's rows for the two layers, and the whole forward pass from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from grader.defects.faults.activations import ACTIVATIONS, NAIVE
from grader.defects.faults.loss_rows import LOSS_ROWS
from grader.defects.faults.softmax_rows import SOFTMAX_ROWS, of_label
from grader.problem.network import FORWARD_STEPS, Fault, Flow, Formula
from grader.records import Array


def _of_Z1(activation: Callable[[Array], Array]) -> Formula:
    return lambda f: activation(f["Z1"])


def _per_row(bias: Array, flow: Flow) -> Array:
    return bias[:, None] if len(bias) == len(flow["X"]) else bias


def _biases(step: str, inputs: str, weights: str, bias: str) -> tuple[Fault, ...]:
    """What goes wrong with a bias, and what the loss's own gradient of it then is."""
    upstream = f"d{step}"

    def product(flow: Flow) -> Array:
        return np.asarray(flow[inputs] @ flow[weights])

    def less(flow: Flow) -> Array:
        return np.asarray(-flow[upstream].sum(axis=0))

    def across(flow: Flow) -> Array:
        along = 1 if len(flow[bias]) == len(flow["X"]) else 0
        return np.asarray(flow[upstream].sum(axis=along) - flow[upstream].sum(axis=0))

    code, words = "bias-wrong-axis", f"{bias} is added per example"
    return (
        Fault("bias-missing", step, f"{bias} is not added", product, gains=((bias, less),)),
        Fault(code, step, words, lambda f: product(f) + f[bias][:, None], gains=((bias, across),)),
        Fault(
            code,
            step,
            f"{words} where the sizes allow it",
            lambda f: product(f) + _per_row(f[bias], f),
            gains=((bias, across),),
        ),
    )


def activation(name: str, function: Callable[[Array], Array]) -> Fault:
    """The row of an activation in the ReLU's place, in one of its spellings."""
    slope = next(d for n, _, d in ACTIVATIONS if n == name)
    words = f"{name} in place of the ReLU"
    return Fault("relu-replaced", "H1", words, _of_Z1(function), slope=_of_Z1(slope))


LAYER_ROWS: tuple[Fault, ...] = (
    *_biases("Z1", "X", "W1", "b1"),
    Fault(
        "relu-missing",
        "H1",
        "there is no ReLU",
        lambda f: f["Z1"],
        slope=lambda f: np.ones_like(f["Z1"]),
    ),
    *(activation(name, function) for name, function, _ in ACTIVATIONS),
    *(activation(name, function) for name, function in NAIVE),
    *_biases("Z2", "H1", "W2", "b2"),
    Fault(
        "relu-on-logits",
        "Z2",
        "ReLU is applied to Z2 as well",
        lambda f: np.maximum(f["H1"] @ f["W2"] + f["b2"], 0.0),
        slope=lambda f: f["Z2"] > 0,
    ),
)

FORWARD_ROWS: tuple[Fault, ...] = (*LAYER_ROWS, *SOFTMAX_ROWS, *LOSS_ROWS)
"""Every wrong step of the forward pass, in the order of the steps."""

LOG_P = next(f for f in FORWARD_ROWS if f.code == "loss-log-underflow")


def with_own_log(faults: Sequence[Fault]) -> dict[str, Fault]:
    """Faults by step. Who changes P takes the log of that P, not of the right one.

    Of two in one step, the one that is a mere factor multiplies the other.
    """
    steps: dict[str, Fault] = {}
    forward = (f for f in faults if f.step in FORWARD_STEPS)
    for fault in sorted(forward, key=lambda f: f.scale is not None):
        other = steps.get(fault.step)
        steps[fault.step] = fault if other is None else _scaled(other, fault)
    if "P" in steps and "picked" not in steps:
        steps["picked"] = _own_log(steps["P"])
    return steps


def _own_log(fault: Fault) -> Fault:
    if fault.logs is None:
        return LOG_P
    return Fault(fault.code, "picked", fault.variant, of_label(fault.logs))


def _scaled(fault: Fault, by: Fault) -> Fault:
    assert by.scale is not None
    scale = by.scale
    return Fault(fault.code, fault.step, fault.variant, lambda f: scale(f) * fault.formula(f))
