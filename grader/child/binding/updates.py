"""Gradients from weights that were stepped: (W_before − W_after) / lr (child's side).

Only where the step is exactly lr · gradient: at twice the rate it has to be twice as long.
So momentum, Adam and decay are never taken for a gradient. At lr = 1 in float64 the
difference is exact to about eps · |W|, far below what the comparisons allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.child.binding import names, places, returns
from grader.child.binding.names import WEIGHTS
from grader.child.binding.trial import RAISED

if TYPE_CHECKING:
    from grader.child.binding.flow import Flow

Array = np.ndarray[Any, Any]
EXACT = 1e-9
RATE = 1.0


@dataclass(frozen=True)
class Step:
    """Where the stepped weight is: in the result (`spot`), in the subject (`held`) or in the
    argument that was written to (neither)."""

    spot: returns.Spot | None = None
    held: bool = False


def takes_rate(flow: Flow) -> bool:
    """Whether some call, or the constructor, is told the learning rate."""
    constructor = getattr(flow.owner, "constructor", None)
    functions = [*flow.stages, *([constructor] if constructor else [])]
    return any(
        "lr" in names.SETTING_ROLES.get(names.plain(n), ()) for f in functions for n in f.names
    )


def _after(
    flow: Flow, case: Mapping[str, Array], rate: float
) -> tuple[Any, Any, Mapping[str, Any]]:
    """Result, subject and given arguments once all calls were made at `rate`."""
    given = {n: a.copy() for n, a in case.items()}
    environment, subject = flow.begin(given)
    environment.rate = rate
    adjust(subject, rate)
    result = None
    for stage in flow.stages:
        result = environment.call(stage, flow.owner.target(subject, stage))
    return result, subject, environment.given


def adjust(subject: Any, rate: float) -> None:
    """Give an object that keeps a learning rate this one."""
    for name, value in list(getattr(subject, "__dict__", {}).items()):
        if "lr" in names.SETTING_ROLES.get(names.plain(name), ()) and isinstance(
            value, int | float
        ):
            setattr(subject, name, rate)


def quieten(subject: Any) -> None:
    """Turn off what an object keeps of penalties and dropout."""
    for name, value in list(getattr(subject, "__dict__", {}).items()):
        if "off" in names.SETTING_ROLES.get(names.plain(name), ()) and isinstance(value, float):
            setattr(subject, name, 0.0)


def follows_rate(flow: Flow, case: Mapping[str, Array]) -> bool:
    """Whether what looks like gradients depends on the learning rate: then it is weights."""
    if not takes_rate(flow) or not flow.gradients:
        return False
    if any(names.gradient_of(places.last_name(s.place))[1] for s in flow.gradients.values()):
        return False
    seen = []
    for rate in (1.0, 2.0):
        result, subject, _ = _after(flow, case, rate)
        found, _ = returns.read(flow.gradients, result, flow.owner.state(subject))
        seen.append(found)
    return any(not np.array_equal(seen[0][t], seen[1][t]) for t in seen[0] if t in seen[1])


def find(flow: Flow, case: Mapping[str, Array], listed: Sequence[returns.Found]) -> dict[str, Step]:
    """Weight → where it stands after an exact step; {} when there is no such step."""
    encoded = flow.layout.encode(case)
    known = takes_rate(flow)
    try:
        single, double = (_after(flow, case, rate) for rate in (1.0, 2.0))
    except RAISED:
        return {}
    steps: dict[str, Step] = {}
    for tensor in WEIGHTS:
        for step in _places(tensor, listed):
            ends = [
                _read(step, tensor, r, flow.owner.weights(s), g) for r, s, g in (single, double)
            ]
            if any(e is None or e.shape != encoded[tensor].shape for e in ends):
                continue
            one, two = (encoded[tensor] - e for e in ends)
            if one.any() and np.abs(two - 2 * one).max() <= EXACT * np.abs(two).max():
                steps[tensor] = step
                break
    return steps if known or steps else {}


def _places(tensor: str, listed: Sequence[returns.Found]) -> list[Step]:
    named = [
        Step(returns.Spot(f.root, f.place)) for f in listed
        if f.root == "result" and places.is_array(f.value)
        and names.gradient_of(places.last_name(f.place) or f.name) == (tensor, False)
    ]  # fmt: skip
    return [Step(held=True), *named, Step()]


def _read(
    step: Step, tensor: str, result: Any, held: Mapping[str, Any], given: Mapping[str, Any]
) -> Array | None:
    if step.spot is not None:
        return np.asarray(step.spot.read(result, None))
    value = held.get(tensor) if step.held else given.get(tensor)
    return None if value is None else np.asarray(value)


def recover(
    steps: Mapping[str, Step],
    before: Mapping[str, Array],
    result: Any,
    held: Mapping[str, Any],
    given: Mapping[str, Any],
) -> dict[str, Array]:
    """The gradients of one run at `RATE`; `before` are the weights that went in."""
    found = {}
    for tensor, step in steps.items():
        after = _read(step, tensor, result, held, given)
        if after is not None:
            found[tensor] = (before[tensor] - after) / RATE
    return found
