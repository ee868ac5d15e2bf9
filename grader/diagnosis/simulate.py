"""What the observations would be if a set of faults were all that is wrong.

The checks run on this as they run on the real thing; a check that fails in
both fails because of those faults. So "explained by" is computed, not listed.
Only what a check asks for is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from grader.defects.explanation import Culprit
from grader.defects.table import with_own_log
from grader.diagnosis.passes import gradients_of
from grader.observe.plan import Step, numpy_steps, torch_steps
from grader.problem import Paper
from grader.problem.network import Fault, Flow, forward
from grader.records import Array, Case, Ended, Observation, Observations, ProcessReport

TIMED = "/realistic/"
"""In the names of steps that are looked at for their time, not for their numbers."""


def simulated(
    seen: Observations,
    paper: Paper,
    found: Sequence[Culprit],
    free: Sequence[Fault],
    missing: Sequence[str],
    prefix: str = "backward",
) -> Observations:
    """Return the observations of the reference with `found` in it, on every step of one part.

    `prefix` is that of the part's steps, "backward" or "torch". `missing` are gradients that
    do not come back at all. All that is no number (times, output, the other part) is taken
    from `seen`.
    """
    runs = _Runs(seen.runs, paper, found, free, missing, prefix)
    if prefix == "torch":
        return replace(seen, torch=_loaded(seen.torch), runs=runs)
    return replace(seen, numpy=_loaded(seen.numpy), runs=runs)


def _loaded(report: ProcessReport) -> ProcessReport:
    return replace(report, loaded=replace(report.loaded, ended=Ended.OK))


class _Runs(Mapping[str, Observation]):
    """The steps by name; each is computed when it is first asked for."""

    def __init__(
        self,
        seen: Mapping[str, Observation],
        paper: Paper,
        found: Sequence[Culprit],
        free: Sequence[Fault],
        missing: Sequence[str],
        prefix: str,
    ) -> None:
        self._seen, self._found, self._free, self._missing = seen, found, free, missing
        steps = torch_steps(paper) if prefix == "torch" else numpy_steps(paper)
        self._steps = {step.name: step for step in steps if _of_numbers(step)}
        self._names = list(dict.fromkeys((*seen, *self._steps)))
        self._flows: dict[str, Flow | None] = {}
        self._made: dict[str, Observation] = {}

    def __getitem__(self, name: str) -> Observation:
        if name not in self._steps:
            return self._seen[name]
        if name not in self._made:
            self._made[name] = self._make(self._steps[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _make(self, step: Step) -> Observation:
        flow = self._flow(step)
        if step.kind == "forward":
            made = _with_cache(_forward_seen(step, flow), self._seen.get(step.name))
        elif step.kind == "torch":
            made = _torch_seen(step, flow, self._found, self._free, self._missing)
        elif step.repeats:
            made = self[step.repeats]
        else:
            made = _backward_seen(flow, step.case, self._found, self._free, self._missing)
        if TIMED in step.name and made.ok and step.name in self._seen:
            made = replace(made, cpu_seconds=self._seen[step.name].cpu_seconds)
        return made

    def _flow(self, step: Step) -> Flow | None:
        """By the case: a second call, and the backward, start from the same."""
        name = step.case.name
        if name not in self._flows:
            self._flows[name] = flow_of(step.case, self._found)
        return self._flows[name]


def _of_numbers(step: Step) -> bool:
    """Whether a step shows what the part computes; an altered engine and `verify` show more."""
    return step.kind != "verify" and not step.engine


def flow_of(case: Case, found: Sequence[Culprit]) -> Flow | None:
    """Return the forward pass of `case` under the faults found; None where it raises."""
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
    return Observation(Ended.OK, arrays, loss_type="float")


def _with_cache(made: Observation, seen: Observation | None) -> Observation:
    """What a candidate keeps is no number of a fault: it is there whatever else is wrong."""
    if seen is None or not (made.ok and seen.ok):
        return made
    kept = {n: a for n, a in seen.arrays.items() if n.startswith("cache")}
    arrays = {**made.arrays, **kept}
    return replace(made, arrays=arrays, paths=seen.paths, cacheless=seen.cacheless)


def _torch_seen(
    step: Step,
    flow: Flow | None,
    found: Sequence[Culprit],
    free: Sequence[Fault],
    missing: Sequence[str],
) -> Observation:
    """Loss and gradients in one answer."""
    loss = _forward_seen(step, flow)
    gradients = _backward_seen(flow, step.case, found, free, missing)
    if not (loss.ok and gradients.ok):
        return Observation(Ended.RAISED, error="predicted")
    return replace(loss, arrays={**gradients.arrays, **loss.arrays})


def _backward_seen(
    flow: Flow | None,
    case: Case,
    found: Sequence[Culprit],
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
    return Observation(Ended.OK, arrays, problems=dict.fromkeys(missing, "not returned"))
