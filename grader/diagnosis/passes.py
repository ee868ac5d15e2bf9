"""The backward pass under faults, step by step; a flow takes the values in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from grader.defects.explanation import Culprit
from grader.defects.table import own_dZ2
from grader.problem.network import LEAVES, RIGHT, Fault, Flow, Formula, softmax
from grader.records import Array

PROBABILITIES = ("shift", "P")


def top(flow: Flow, found: Sequence[Culprit], free: Sequence[Fault]) -> None:
    """Put dZ2 and dH1 into the flow, under faults and what comes free with a wrong loss."""
    view = flow
    for fault in (*(f.fault for f in found), *free):
        if fault.step == "P_used":
            flow["P_used"] = np.asarray(fault.formula(flow))
            view = {**flow, "P": flow["P_used"]}
    flow["dZ2"] = _value("dZ2", view, found)
    for fault in free:
        if fault.step == "dZ2":
            flow["dZ2"] = np.asarray(fault.formula(flow))
    flow["dH1"] = _value("dH1", flow, found)


def middle(flow: Flow, found: Sequence[Culprit], free: Sequence[Fault]) -> None:
    """Put dZ1 into the flow (and dH1 once more, where it has a fault of its own)."""
    if any(f.fault.step == "dH1" for f in found):
        flow["dH1"] = _value("dH1", flow, found)
    own = next((f for f in free if f.step == "dZ1"), None)
    if own is not None and not any(f.fault.step == "dZ1" for f in found):
        flow["dZ1"] = np.asarray(own.formula(flow))
    else:
        flow["dZ1"] = _value("dZ1", flow, found)


def _value(step: str, flow: Flow, found: Sequence[Culprit]) -> Array:
    """A step under the faults that stand there: one formula, and mere factors besides."""
    here = sorted((f for f in found if f.fault.step == step), key=_is_factor)
    if not here:
        return np.asarray(RIGHT[step](flow))
    value = np.asarray(_of(here[0], flow))
    for factor in here[1:]:
        assert factor.fault.scale is not None
        value = factor.fault.scale(flow) * value
    return value


def _is_factor(found: Culprit) -> bool:
    return found.fault.scale is not None


def _of(found: Culprit, flow: Flow) -> Array:
    value = np.asarray(found.fault.formula(flow))
    if found.fault.direction is not None:
        value = value + found.amount * found.fault.direction(flow)
    return value


def gradients_of(
    flow: Flow, found: Sequence[Culprit], free: Sequence[Fault]
) -> Mapping[str, Array]:
    """Return the five gradients of a flow under faults; put P_used, dZ2, dH1, dZ1 into it."""
    at = {leaf: f for f in found for leaf in f.tensors if f.fault.step in LEAVES}
    own = {f.step: f for f in free}
    with np.errstate(all="ignore"):
        top(flow, found, free)
        middle(flow, found, free)
        gradients = {}
        for leaf in LEAVES:
            local, alone = at.get(leaf), own.get(leaf)
            right = alone.formula if alone is not None else RIGHT[leaf]
            gradients[leaf] = np.asarray(right(flow) if local is None else _of(local, flow))
    return gradients


# ── what follows from a wrong loss, and is no fault besides ──────────────────


def free_tops(faults: Sequence[Fault]) -> list[tuple[Fault, ...]]:
    """Return what dZ2 may be under a wrong forward, the likeliest first: steps for `top`."""
    after = [f for fault in faults for f in _carried(fault)]
    tops: list[tuple[Fault, ...]] = [(f,) for f in after]
    tops += [tuple(after)] if len(after) > 1 else []
    for fault in faults:
        if fault.step in PROBABILITIES:
            tops.append((Fault("P_used", "a right softmax", _right_softmax, code=fault.code),))
        if fault.probabilities is not None:
            spoilt = Fault("P_used", "P by the same log", fault.probabilities, code=fault.code)
            tops.append((spoilt,))
    return tops


def own_top(faults: Sequence[Fault], amount: float) -> Fault | None:
    """dZ2 as the derivative of the loss itself, where it is not the right one or a multiple."""
    steps = ("shift", "P", "picked", "loss")
    strange = [f for f in faults if f.step in steps and f.scale is None and not f.gains]
    if not strange:
        return None

    made: dict[bytes, Array] = {}

    def formula(flow: Flow) -> Array:
        key = flow["Z2"].tobytes() + flow["y"].tobytes()
        if key not in made:  # it is differenced, which takes milliseconds
            try:
                alone = flow["loss"].ndim == 0  # an array has no gradient
                made[key] = own_dZ2(flow, faults, amount) if alone else flow["Z2"] * np.nan
            except (ValueError, IndexError):
                made[key] = np.full_like(flow["Z2"], np.nan)
        return made[key]

    return Fault("dZ2", "the derivative of this loss", formula, code=strange[0].code)


def _carried(fault: Fault) -> list[Fault]:
    """What a factor of the loss, or a last step of Z2, makes of dZ2."""
    if fault.scale is not None:
        return [Fault("dZ2", "own factor", _times_dZ2(fault.scale), code=fault.code)]
    if fault.step == "Z2" and fault.slope is not None:
        return [Fault("dZ2", "own mask", _times_dZ2(fault.slope), code=fault.code)]
    return []


def _times_dZ2(factor: Formula) -> Formula:
    return lambda f: factor(f) * f["dZ2"]


def _right_softmax(flow: Flow) -> Array:
    return softmax({**flow, "shift": RIGHT["shift"](flow)})


def free_gates(faults: Sequence[Fault]) -> list[Fault]:
    """Return what dZ1 may be under a wrong activation: its slope, or a gate from H1."""
    gates = []
    for fault in faults:
        if fault.step == "H1" and fault.slope is not None:
            gates.append(Fault("dZ1", "own derivative", _times_dH1(fault.slope), code=fault.code))
            gates.append(
                Fault("dZ1", "gated by H1", lambda f: f["dH1"] * (f["H1"] > 0), code=fault.code)
            )
    return gates


def _times_dH1(slope: Formula) -> Formula:
    return lambda f: f["dH1"] * slope(f)


def free_leaves(faults: Sequence[Fault], amount: float) -> dict[str, Fault]:
    """Return what the gradients of the loss itself are where a penalty or a bias changes them."""
    leaves = {}
    for fault in faults:
        times = amount if fault.direction is not None else 1.0
        for leaf, gain in fault.gains:
            leaves[leaf] = Fault(leaf, "own gradient", _more(leaf, times, gain), code=fault.code)
    return leaves


def _more(leaf: str, amount: float, gain: Formula) -> Formula:
    return lambda f: RIGHT[leaf](f) + amount * gain(f)
