"""The values by which a fault of the table can be found in a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from grader.defects.faults import LEAVES, RIGHT, Flow
from grader.diagnosis.match import Found
from grader.problem.network import batch, onehot, rows, softmax
from grader.records import Array


@dataclass(frozen=True, eq=False)
class Witness:
    """Values that only a wrong line has; the first expression that takes any tells the line.

    `backward` keeps to that pass: a wrong gradient may be a right value of the forward.
    `copied` are values that are wrong only as what the pass begins with: copies of them count.
    """

    values: tuple[Array, ...]
    backward: bool = False
    copied: tuple[Array, ...] = ()


SCALES = (
    *("grad-missing-batch-mean", "grad-double-batch-mean", "grad-mean-over-classes"),
    *("bias-grad-mean", "hard-coded-size"),
)
"""Wrong by a factor: a multiple of the wrong value may be a right one."""

BASES = (2.0, 10.0)


def witnesses(found: Found, flow: Flow | None, gradients: Mapping[str, Array]) -> list[Witness]:
    """What tells one fault's line, the most telling first; `flow` is the candidate's own."""
    if flow is None:
        return []
    step = found.fault.step
    with np.errstate(all="ignore"):
        if step in FORWARD:
            return [Witness(tuple(v)) for v in FORWARD[step](found, flow)]
        if step in LEAVES:
            tensors = [t for t in found.tensors if t in gradients]
            return [w for t in tensors for w in _leaf(found, flow, gradients[t])]
        if step in ("dZ2", "dH1", "dZ1"):
            wrong = [gradients[t] for t in found.tensors if t in gradients]
            below = [Witness((g,), backward=True) for g in wrong]  # where the step is not seen
            return [*_inner(found, flow), *below]
        if step not in flow or np.array_equal(flow[step], RIGHT[step](flow)):
            return []  # wrong for other sizes only: here the value tells nothing
    return [Witness((flow[step],))]


def _shift(found: Found, flow: Flow) -> Iterator[list[Array]]:
    shifted = flow["Z2"] - flow["shift"]
    if found.fault.code != "softmax-no-max-shift":
        yield [flow["shift"]]
    yield [np.exp(shifted)]
    yield [shifted]


def _probabilities(found: Found, flow: Flow) -> Iterator[list[Array]]:
    """P, and before it what only this way to a wrong P comes by."""
    Z, code = flow["Z2"], found.fault.code
    if code == "softmax-wrong-axis":
        tops = (0.0, Z.max(axis=1, keepdims=True), Z.max(axis=0), Z.max())
        axis = None if "whole" in found.fault.variant else 0
        yield [Z.max(axis=0), *(np.exp(Z - top).sum(axis=axis) for top in tops)]
    elif code == "softmax-global-max":
        yield [Z - Z.max(), np.exp(Z - Z.max())]
    elif code == "softmax-no-max-shift":
        yield [np.exp(Z)]
    elif code == "loss-log-base":
        yield [v for v in _other_logs(flow) if v.size > 1]
    if found.fault.step in flow:
        yield [flow[found.fault.step]]
    yield [softmax(flow)]  # inside F.cross_entropy the other is not seen
    if found.fault.step in flow:
        yield [np.log(flow[found.fault.step])]


def _picked(found: Found, flow: Flow) -> Iterator[list[Array]]:
    code = found.fault.code
    if code == "loss-wrong-gather":
        yield _gathered(found, flow)
    elif code == "loss-log-base":
        yield [v for v in _other_logs(flow) if v.size > 1]
    yield [flow["picked"]]
    if code in ("loss-log-underflow", "loss-log-epsilon"):
        yield [np.log(flow["P"])]
        yield [-flow["picked"]]
    yield [flow["P"]]
    yield [flow["loss"]]


def _gathered(found: Found, flow: Flow) -> list[Array]:
    """What is taken from any of the matrices from which the losses can be taken."""
    shifted = flow["Z2"] - flow["Z2"].max(axis=1, keepdims=True)
    E = np.exp(shifted)
    matrices = [flow["Z2"], shifted, E, flow["P"], np.log(flow["P"])]
    y, variant = flow["y"].astype(int), found.fault.variant
    ways: Mapping[str, Callable[[Array], Array]] = {
        "class 0": lambda m: m[:, 0],
        "the last class": lambda m: m[:, -1],
        "the likeliest class": lambda m: m.max(axis=1),
        "p[y]": lambda m: m[y],
        "the class before": lambda m: m[np.arange(len(y)), y - 1],
    }
    if variant == "the likeliest class":
        matrices = [flow["P"], np.log(flow["P"])]  # the logits' maxima are right elsewhere
    if variant in ways:
        return [ways[variant](m) for m in matrices]
    return [m[:, y] for m in matrices] if ":" in variant else []


def _other_logs(flow: Flow) -> Iterator[Array]:
    """Logarithms to other bases of what a loss takes logarithms of."""
    tops = (np.zeros((1, 1)), flow["Z2"].max(axis=1, keepdims=True))
    inside = [np.exp(flow["Z2"] - top).sum(axis=1) for top in tops]
    for base in BASES:
        yield from (np.log(v) / np.log(base) for v in (*inside, flow["P"], flow["P"][rows(flow)]))


def _loss(found: Found, flow: Flow) -> Iterator[list[Array]]:
    code = found.fault.code
    if code == "loss-wrong-gather":
        yield _gathered(found, flow)
    elif code == "loss-log-base":
        yield list(_other_logs(flow))
    elif code == "loss-sign":
        yield [-flow["picked"].sum() * -1.0, flow["loss"]]
    elif found.fault.direction is not None:
        direction = np.asarray(found.fault.direction(flow))
        yield [np.asarray(flow["loss"] + found.amount * direction)]
    yield [flow["loss"]]


FORWARD: Mapping[str, Callable[[Found, Flow], Iterator[list[Array]]]] = {
    "shift": _shift,
    "P": _probabilities,
    "P_used": _probabilities,
    "picked": _picked,
    "loss": _loss,
}
"""The steps of the forward pass that take several lines."""


def _inner(found: Found, flow: Flow) -> Iterator[Witness]:
    """A fault of dZ2, dH1 or dZ1; it may be made on the way there, or before the mean is taken."""
    fault, B = found.fault, batch(flow)
    wrong = flow[fault.step]
    if fault.step == "dZ1":
        if fault.code == "weights-updated-early":
            yield from _stepped(found, flow, "W2")
        factor = _factor(wrong, RIGHT["dZ1"](flow))
        if factor is not None:
            late = () if fault.code in SCALES else (B * factor * flow["dH1"],)
            yield Witness((factor * flow["dH1"], *late), backward=True)
    used = {**flow, "P": flow.get("P_used", flow["P"])}
    if fault.code in SCALES:
        yield Witness((wrong,), backward=True)
    elif fault.code == "grad-onehot-missing":
        plain = np.allclose(wrong, used["P"])
        yield Witness(() if plain else (wrong,), backward=True, copied=(used["P"],))
        yield Witness((wrong if plain else B * wrong,), backward=True)
    elif fault.code == "grad-from-logits":
        scores = B * wrong + onehot(flow)
        yield Witness((wrong, B * wrong, scores / B), backward=True, copied=(scores,))
    else:
        alone = np.asarray(fault.formula(used))  # another fault of the step may stand behind it
        yield Witness((wrong, B * wrong, alone, B * alone), backward=True)


def _leaf(found: Found, flow: Flow, wrong: Array) -> Iterator[Witness]:
    code = found.fault.code
    if code == "weights-updated-early":
        yield from _stepped(found, flow, "W1")
    yield Witness((wrong,) if code in SCALES else (wrong, batch(flow) * wrong), backward=True)


def scaled_loss(found: Found, flow: Flow) -> Iterator[Witness]:
    """Of a factor in every gradient of autograd's: the loss that was differentiated has it."""
    if found.fault.step == "dZ2" and found.fault.scale is not None:
        yield Witness((np.asarray(found.fault.scale(flow) * flow["loss"]),))


def _stepped(found: Found, flow: Flow, weight: str) -> Iterator[Witness]:
    """The weight after its step, and what the gradient becomes when it passes through that."""
    inputs, upstream = ("H1", "dZ2") if weight == "W2" else ("X", "dZ1")
    stepped = flow[weight] - found.amount * (flow[inputs].T @ flow[upstream])
    yield Witness((stepped, flow[upstream] @ stepped.T), backward=True)


def _factor(value: Array, right: Array) -> float | None:
    """k where value = k · right for a k other than one, else None."""
    norm = float((right * right).sum())
    if value.shape != right.shape or not norm:
        return None
    k = float((value * right).sum()) / norm
    alike = float(np.abs(value - k * right).max()) <= 1e-9 * float(np.abs(value).max())
    return k if alike and abs(k - 1.0) > 1e-9 else None
