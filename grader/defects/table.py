"""The fault table by step, as the kinds declare it, and the forward pass under several faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from grader.defects import KINDS
from grader.defects.faults import of_label
from grader.problem.network import (
    FORWARD_STEPS,
    LEAVES,
    RIGHT,
    Fault,
    Flow,
    Formula,
    Shows,
    log_of_label,
    resumed,
    softmax,
)
from grader.records import Array

FAULTS: tuple[Fault, ...] = tuple(fault for kind in KINDS for fault in kind.faults)


def of_step(step: str) -> tuple[Fault, ...]:
    """Return the faults of one step, in the order of the kinds."""
    return tuple(fault for fault in FAULTS if fault.step == step)


def _used(fault: Fault) -> Fault:
    """A fault of the forward's softmax as one of the P that only backward works with."""
    formula = fault.probabilities or (
        _shifted(fault.formula) if fault.step == "shift" else fault.formula
    )
    words = f"{fault.variant}, in backward"
    return Fault("P_used", words, formula, telling=fault.telling, code=fault.code)


def _shifted(shift: Formula) -> Formula:
    return lambda f: softmax({**f, "shift": np.asarray(shift(f))})


FORWARD_ROWS = tuple(fault for step in FORWARD_STEPS for fault in of_step(step))
"""Every wrong step of the forward pass, in the order of the steps."""

_OF_SOFTMAX = tuple(f for f in FORWARD_ROWS if f.step in ("shift", "P") and f.logs is None)

P_ROWS = (
    *(_used(f) for f in _OF_SOFTMAX if f.shows is Shows.ALWAYS),
    *(_used(f) for f in FORWARD_ROWS if f.probabilities is not None),
    *of_step("P_used"),
)
"""What the probabilities may be where the loss has its own way from the logits, and is right."""

UNSTABLE_P = tuple(_used(f) for f in _OF_SOFTMAX if f.shows is Shows.EXTREMES)
"""The same, wrong on huge logits only."""

DZ2_ROWS, DZ1_ROWS = of_step("dZ2"), of_step("dZ1")
DH1_ROWS = of_step("dH1")
"""Beside a fault of dZ1 only: alone, they give what the same factor in dZ1 gives."""

LEAF_ROWS: Mapping[str, tuple[Fault, ...]] = {leaf: of_step(leaf) for leaf in LEAVES}


# ── several faults at once ───────────────────────────────────────────────────


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
        logs = steps["P"].logs
        formula = log_of_label if logs is None else of_label(logs)
        steps["picked"] = Fault("picked", steps["P"].variant, formula, code=steps["P"].code)
    return steps


def _scaled(fault: Fault, by: Fault) -> Fault:
    assert by.scale is not None
    scale = by.scale
    return Fault(fault.step, fault.variant, lambda f: scale(f) * fault.formula(f), code=fault.code)


STEP = 2e-4
"""Of the five-point stencil: its truncation, of order STEP**4 = 2e-15, and the loss's rounding
over STEP, 1e-12, are both far below the closeness that a prediction is held to."""

STENCIL = ((1, 8.0), (-1, -8.0), (2, -1.0), (-2, 1.0))
"""(multiple of the step, weight) over 12 steps: Abramowitz and Stegun, 25.3.6."""


def own_dZ2(flow: Flow, faults: Sequence[Fault], amount: float = 0.0) -> Array:
    """Return the derivative [B, C] of the loss under `faults` by Z2 (before a wrong last step).

    `flow` is a forward flow under the same faults, `amount` their family's parameter.
    Of an array of losses it is that of their sum.
    """
    steps = with_own_log(faults)
    terms = [f.direction for f in faults if f.direction is not None and not f.gains]
    gradient = np.empty_like(flow["Z2"])
    for index in np.ndindex(gradient.shape):
        total = 0.0
        for multiple, weight in STENCIL:
            Z2 = flow["Z2"].copy()
            Z2[index] += multiple * STEP
            moved = resumed({**flow, "Z2": Z2}, steps, "shift")
            loss = float(moved["loss"].sum()) + sum(amount * float(t(moved)) for t in terms)
            total += weight * loss
        gradient[index] = total / (12.0 * STEP)
    last = steps.get("Z2")
    return gradient if last is None or last.slope is None else gradient * last.slope(flow)


# ── the faults of a layer alone, which is a step or two of the network ───────


Layer = Mapping[str, Array]
"""What a layer alone is given: `x`, and `W0` and `b0`, `upstream` or `y`."""


def _linear(given: Layer) -> Flow:
    names = {"X": "x", "W1": "W0", "b1": "b0", "dZ1": "upstream"}
    return {step: given[name] for step, name in names.items()}


def _relu(given: Layer) -> Flow:
    x = given["x"]
    return {"X": x, "Z1": x, "H1": np.maximum(x, 0.0), "dH1": given["upstream"]}


def _loss(given: Layer) -> Flow:
    return resumed({"X": given["x"], "Z2": given["x"], "y": given["y"]}, {}, "shift")


FLOWS: Mapping[str, Callable[[Layer], Flow]] = {"linear": _linear, "relu": _relu, "loss": _loss}
"""By kind of layer, what its step of the network starts from."""

STEPS_OF: Mapping[tuple[str, str], tuple[str, ...]] = {
    **{("linear", a): (s,) for a, s in (("out", "Z1"), ("dW0", "W1"), ("db0", "b1"), ("dx0", "X"))},
    **{("relu", "out"): ("H1",), ("relu", "dx0"): ("dZ1",)},
    **{("loss", "loss"): ("shift", "P", "picked", "loss"), ("loss", "dx0"): ("dZ2",)},
}
"""The steps of the network that give an array of a layer, by the layer's kind and the array."""


def of_layer(kind: str, array: str, given: Layer) -> Sequence[tuple[Fault, Array]]:
    """Return the faults of a layer's array with what each makes of it on one input.

    A gradient of the loss alone may also be that of a wrong loss.
    """
    flow, found = FLOWS[kind](given), []
    for fault in (f for step in STEPS_OF[kind, array] for f in of_step(step)):
        if fault.direction is None and fault.shows is Shows.ALWAYS:
            found.append((fault, _formula_of(fault)))
    if (kind, array) == ("loss", "dx0"):
        found += [(f, _own(f)) for f in FORWARD_ROWS if f.scale or f.step == "P"]
    return [(fault, value) for fault, of in found if (value := _tried(of, flow)) is not None]


def _formula_of(fault: Fault) -> Formula:
    if fault.step not in FORWARD_STEPS or fault.step in ("Z1", "H1"):
        return fault.formula
    return lambda f: resumed(f, with_own_log((fault,)), "shift")["loss"]


def _own(fault: Fault) -> Formula:
    """dZ2 under a factor in the loss, or composed with other probabilities."""
    scale = fault.scale or (lambda f: np.ones(()))
    right = replace(fault, formula=lambda f: f[fault.step]) if fault.scale else fault
    return lambda f: scale(f) * RIGHT["dZ2"](resumed(f, {fault.step: right}, "shift"))


def _tried(formula: Formula, flow: Flow) -> Array | None:
    """A formula's value; None where it does not fit the layer."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray(formula(flow))
    except (KeyError, ValueError, IndexError):
        return None
