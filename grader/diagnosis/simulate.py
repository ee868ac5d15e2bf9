"""What the observations would be if a set of faults were all that is wrong.

The checks run on this as they run on the real thing; a check that fails in
both fails because of those faults. So "explained by" is computed, not listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from grader.diagnosis.match import Found, middle, top
from grader.observe.plan import Step, numpy_steps
from grader.problem import Paper
from grader.problem.faults import LEAVES, RIGHT, Fault, Flow, forward, with_own_log
from grader.records import Array, Case, Ended, Observation, Observations


def simulated(
    seen: Observations,
    paper: Paper,
    found: Sequence[Found],
    free: Sequence[Fault],
    missing: Sequence[str],
) -> Observations:
    """The observations of the reference with `found` in it, on every step of the NumPy part.

    `missing` are gradients that do not come back at all. All that is no number
    (times, output, the PyTorch part) is taken from `seen`.
    """
    runs = dict(seen.runs)
    flows: dict[str, Flow | None] = {}
    for step in numpy_steps(paper):
        if step.kind == "forward":
            flows[step.handle] = _flow(step.case, found)
            runs[step.name] = _forward_seen(step, flows[step.handle])
        else:
            flow = flows.get(step.handle)
            runs[step.name] = _backward_seen(flow, step.case, found, free, missing)
    for name, observation in seen.runs.items():
        if "/realistic/" in name and runs[name].ok:
            runs[name] = replace(runs[name], cpu_seconds=observation.cpu_seconds)
    numpy = replace(seen.numpy, loaded=replace(seen.numpy.loaded, ended=Ended.OK))
    return replace(seen, numpy=numpy, runs=runs)


def _flow(case: Case, found: Sequence[Found]) -> Flow | None:
    faults = tuple(f.fault for f in found)
    try:
        flow = forward(case, with_own_log(faults))
    except (ValueError, IndexError):
        return None
    for f in found:
        if f.fault.direction is not None and f.fault.step == "loss":
            flow["loss"] = flow["loss"] + f.amount * f.fault.direction(flow)
    return flow


def _forward_seen(step: Step, flow: Flow | None) -> Observation:
    if flow is None:
        return Observation(Ended.RAISED, error="predicted")
    dtype = step.case.X.dtype
    arrays: dict[str, Array] = {"loss": np.asarray(flow["loss"], dtype)}
    arrays |= {f"after_{n}": a for n, a in step.case.inputs.items()}
    return Observation(Ended.OK, arrays, {"loss_type": "float"})


def _backward_seen(
    flow: Flow | None,
    case: Case,
    found: Sequence[Found],
    free: Sequence[Fault],
    missing: Sequence[str],
) -> Observation:
    if flow is None:
        return Observation(Ended.NOT_RUN, error="its forward gave no cache")
    try:
        gradients = gradients_of(dict(flow), found, free)
    except (ValueError, IndexError):
        return Observation(Ended.RAISED, error="predicted")
    arrays = {t: g.astype(case.X.dtype) for t, g in gradients.items() if t not in missing}
    problems = "\n".join(f"{t}: not returned" for t in missing)
    return Observation(Ended.OK, arrays, {"problems": problems})


def gradients_of(flow: Flow, found: Sequence[Found], free: Sequence[Fault]) -> Mapping[str, Array]:
    """The five gradients of a flow under the faults found; leaves dZ2, dH1, dZ1 in it."""
    by_step = {f.fault.step: f for f in found}
    at = {leaf: f for f in found for leaf in f.tensors if f.fault.step in LEAVES}
    free_step = {f.step: f for f in free}
    with np.errstate(all="ignore"):
        head = by_step.get("dZ2")
        top(flow, head.fault if head else None, free_step.get("dZ2"))
        gate = by_step.get("dZ1")
        row = gate.fault if gate else free_step.get("dZ1")
        middle(flow, row, gate.amount if gate else 0.0)
        gradients = {}
        for leaf in LEAVES:
            local = at.get(leaf)
            value = np.asarray((local.fault.formula if local else RIGHT[leaf])(flow))
            if local is not None and local.fault.direction is not None:
                value = value + local.amount * local.fault.direction(flow)
            for f in found:  # the penalty in the candidate's own loss
                if f.fault.code == "loss-extra-term" and leaf in f.fault.variant:
                    value = value + 2.0 * f.amount * flow[leaf]
            gradients[leaf] = value
    return gradients
