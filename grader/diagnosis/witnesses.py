"""The values by which a fault that explains can be found in a trace, the most telling first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from grader.defects import BY_CODE
from grader.defects.explanation import Culprit
from grader.defects.witness import Witness
from grader.problem.network import LEAVES, RIGHT, Flow, Shows, batch, softmax
from grader.records import Array


def witnesses(culprit: Culprit, flow: Flow | None, gradients: Mapping[str, Array]) -> list[Witness]:
    """Return what tells one fault's line; `flow` is the candidate's own, faults included."""
    if flow is None:
        return []
    step = culprit.fault.step
    with np.errstate(all="ignore"):
        if step in ("shift", "P", "P_used", "picked", "loss"):
            values = [*_telling(culprit, flow), *_of_step(culprit, flow)]
            return [Witness(tuple(v)) for v in values]
        if step in LEAVES:
            tensors = [t for t in culprit.tensors if t in gradients]
            return [w for t in tensors for w in _leaf(culprit, flow, gradients[t])]
        if step in ("dZ2", "dH1", "dZ1"):
            wrong = [gradients[t] for t in culprit.tensors if t in gradients]
            below = [Witness((g,), backward=True) for g in wrong]  # where the step is not seen
            return [*_inner(culprit, flow), *below]
        if step not in flow or np.array_equal(flow[step], RIGHT[step](flow)):
            return []  # wrong for other sizes only: here the value tells nothing
    return [Witness((flow[step],))]


def scaled_loss(culprit: Culprit, flow: Flow) -> Iterator[Witness]:
    """Yield the loss with a factor that every gradient of autograd's has."""
    if culprit.fault.step == "dZ2" and culprit.fault.scale is not None:
        yield Witness((np.asarray(culprit.fault.scale(flow) * flow["loss"]),))


def _telling(culprit: Culprit, flow: Flow) -> Iterator[list[Array]]:
    """What only this way to the wrong value comes by; the shift is told by itself."""
    if culprit.fault.telling is not None and culprit.fault.step != "shift":
        yield list(culprit.fault.telling(flow, culprit.amount))


def _of_step(culprit: Culprit, flow: Flow) -> Iterator[list[Array]]:
    """The values of a step of the forward pass that takes several lines, and of those after it."""
    fault = culprit.fault
    if fault.step == "shift":
        shifted = flow["Z2"] - flow["shift"]
        yield from ([flow["shift"]], [np.exp(shifted)], [shifted])
    elif fault.step in ("P", "P_used"):
        P = flow.get(fault.step)
        yield from ([] if P is None else [[P]])
        yield [softmax(flow)]  # inside F.cross_entropy the other is not seen
        yield from ([] if P is None else [[np.log(P)]])
    elif fault.step == "picked":
        yield [flow["picked"]]
        if fault.shows is not Shows.ALWAYS:
            yield from ([np.log(flow["P"])], [-flow["picked"]])
        yield from ([flow["P"]], [flow["loss"]])
    else:
        if fault.direction is not None:
            yield [np.asarray(flow["loss"] + culprit.amount * np.asarray(fault.direction(flow)))]
        yield [flow["loss"]]


def _inner(culprit: Culprit, flow: Flow) -> Iterator[Witness]:
    """A fault of dZ2, dH1 or dZ1; it may be made on the way there, or before the mean is taken."""
    fault, B, wrong = culprit.fault, batch(flow), flow[culprit.fault.step]
    scales = BY_CODE[fault.code].scales
    yield from (Witness(tuple(v), backward=True) for v in _telling(culprit, flow))
    if fault.step == "dZ1" and (factor := _factor(wrong, RIGHT["dZ1"](flow))) is not None:
        late = () if scales else (B * factor * flow["dH1"],)
        yield Witness((factor * flow["dH1"], *late), backward=True)
    if scales:
        yield Witness((wrong,), backward=True)
        return
    used = {**flow, "P": flow.get("P_used", flow["P"])}
    alone = np.asarray(fault.formula(used))  # another fault of the step may stand behind it
    values = (wrong, B * wrong, alone, B * alone)
    if fault.copied is None:
        yield Witness(values, backward=True)
        return
    copied = np.asarray(fault.copied(used))
    plain = [v for v in values if np.allclose(v, copied)]
    rest = tuple(v for v in values if not any(v is p for p in plain))
    yield Witness(rest, backward=True, copied=(copied,))
    yield Witness(tuple(plain), backward=True)


def _leaf(culprit: Culprit, flow: Flow, wrong: Array) -> Iterator[Witness]:
    yield from (Witness(tuple(v), backward=True) for v in _telling(culprit, flow))
    scales = BY_CODE[culprit.fault.code].scales
    yield Witness((wrong,) if scales else (wrong, batch(flow) * wrong), backward=True)


def _factor(value: Array, right: Array) -> float | None:
    """k where value = k · right for a k other than one, else None."""
    norm = float((right * right).sum())
    if value.shape != right.shape or not norm:
        return None
    k = float((value * right).sum()) / norm
    alike = float(np.abs(value - k * right).max()) <= 1e-9 * float(np.abs(value).max())
    return k if alike and abs(k - 1.0) > 1e-9 else None
