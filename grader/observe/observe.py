"""Runs one part of a submission on a paper: one step after another, in a child."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass, replace
from typing import Any

import numpy as np

from grader.child.reports import CallReport, LoadReport
from grader.errors import SandboxError
from grader.observe.plan import (
    Call,
    StackStep,
    Step,
    layer_steps,
    numpy_steps,
    timing_steps,
    torch_steps,
)
from grader.observe.replies import MAX_LINE, read_frames, read_report
from grader.observe.requests import loading_items
from grader.observe.spare import SpareChildren
from grader.problem import Paper
from grader.records import (
    CallAttempt,
    Ended,
    FunctionOutline,
    LayerNames,
    LoadNote,
    Observation,
    Observations,
    ProcessReport,
    Submission,
)
from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote
from grader.sandbox.session import Child, Reply

MAX_LIVES = 6
"""Children a side may use: a step that ends one costs itself, not the steps after it."""

MAX_DEATHS = 2
"""Children that calls of one function may end, or fill to the limit, which takes as long.
A time-out counts as all of them."""

STEP_SHARE = 0.5
"""Share of the whole time that one step may take: a function that hangs leaves time for others."""

REPEAT_SECONDS = 0.5
"""A timed step that took longer is not repeated: its time says enough."""

AT_ONCE = 32
"""Steps of one request, where none of them is timed and their kind is known to be quick."""

QUICK = 0.02
"""Processor seconds of a kind's first step, below which further ones may be asked at once."""

SECONDS_AT_ONCE = 1.0
"""What comes back later is asked again, step by step; the time is not the submission's."""

LATEST_AT_ONCE = 2.0
"""After so much of a part's time every step is asked alone: where several do not come back, all
that went before is done again, and neither time is the submission's."""

TEXT_ROOM = 64 * 1024
LOAD_ROOM = 256 * 1024
NAME = re.compile(r"\w{1,200}")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a submission may use on each side: seconds on the judge's clock, and per child."""

    seconds: float = 10.0
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class PartRuns:
    """One part ("numpy" or "torch"): its process, and its runs by step."""

    report: ProcessReport
    runs: Mapping[str, Observation]

    def hung(self, *kinds: str) -> bool:
        """Return whether one of these ran out of time on `primes`: it would only do so again."""
        runs = (self.runs.get(f"{kind}/primes") for kind in kinds)
        return any(run is not None and run.ended is Ended.TIMEOUT for run in runs)


def together(numpy: PartRuns, torch: PartRuns) -> Observations:
    """Return the observations of both parts."""
    return Observations(numpy.report, torch.report, {**numpy.runs, **torch.runs})


def observe_part(
    submission: Submission,
    side: str,
    paper: Paper,
    zygote: Zygote,
    allowance: Allowance,
    spare: SpareChildren | None = None,
) -> PartRuns:
    """Run all steps of one part. A child that comes to the end of them is left to `spare`."""
    steps: Sequence[Step | StackStep] = torch_steps(paper)
    if side == "numpy":
        steps = [*numpy_steps(paper), *layer_steps(paper)]
    return _side(submission, side, steps, paper, zygote, allowance, spare)


def time_reference(reference: Submission, paper: Paper, zygote: Zygote) -> tuple[float, float]:
    """Return the reference's least processor time at the realistic size: forward, backward."""
    steps = timing_steps(paper)
    runs = _side(reference, "numpy", steps, paper, zygote, Allowance(60.0)).runs
    best = {}
    for kind in (Call.FORWARD, Call.BACKWARD):  # on a busy machine a slow one is not repeated
        timed = [runs[s.name] for s in steps if s.kind == kind and runs[s.name].ok]
        if not timed:
            why = runs[f"{kind}/realistic/0"].error
            raise SandboxError(f"the reference could not be timed: {why}")
        best[kind] = min(observation.cpu_seconds for observation in timed)
    return best[Call.FORWARD], best[Call.BACKWARD]


def _side(
    submission: Submission,
    side: str,
    steps: Sequence[Step | StackStep],
    paper: Paper,
    zygote: Zygote,
    allowance: Allowance,
    spare: SpareChildren | None = None,
) -> PartRuns:
    """Run one part's steps, in as many children as it takes (at most `MAX_LIVES`)."""
    facts = zygote.facts()  # waits for the preloading, which is not the submission's time
    deadline = time.monotonic() + allowance.seconds
    run = _Run(steps, allowance.seconds * STEP_SHARE)
    report: ProcessReport | None = None
    for life in range(MAX_LIVES + 1):
        if life == MAX_LIVES and not run.lost:
            break  # the further one is for who ended while several steps were asked
        left = max(0.01, deadline + run.lost - time.monotonic())
        with ExitStack() as ours:
            child = ours.enter_context(zygote.spawn(allowance.limits, left))
            isolation = _isolation(child, facts)
            reply = _load(child, submission, side, paper.noise)
            loaded = _observation(reply)
            if loaded.ok:
                run.go_on(child)
            if spare is not None and loaded.ok and child.alive:
                child.listen()
                spare.keep(side, child)
                ours.pop_all()
        report = _reported(report, reply, child, isolation)
        if not loaded.ok or not run.todo or time.monotonic() > deadline + run.lost:
            break
    assert report is not None
    return PartRuns(report, run.runs)


class _Run:
    """The steps of one side on their way through its children."""

    def __init__(self, steps: Sequence[Step | StackStep], step_seconds: float) -> None:
        self.steps, self.todo = steps, list(steps)
        self.step_seconds = step_seconds
        self.started = time.monotonic()
        self.runs: dict[str, Observation] = {}
        self.deaths: dict[Call, int] = {}
        self.layerless = False
        self.handles: set[str] = set()
        self.quick: set[Call] = set()
        self.one_by_one = False
        self.lost = 0.0

    def go_on(self, child: Child) -> None:
        """Run steps until none is left or the child is gone."""
        self.handles.clear()
        while self.todo and child.alive:
            several = self._several()
            if several and self._run_together(child, several):
                continue
            if not child.alive:
                return
            step = self.todo.pop(0)
            if why := self._pointless(step):
                self.runs[step.name] = Observation(Ended.NOT_RUN, error=why)
                continue
            observation = _take(child, step, self.step_seconds)
            self._note(step, observation)
            if not child.alive:
                count = MAX_DEATHS if observation.ended is Ended.TIMEOUT else 1
                self.deaths[step.kind] = self.deaths.get(step.kind, 0) + count
                self.one_by_one = True
            elif observation.ended is Ended.MEMORY_LIMIT:
                self.deaths[step.kind] = self.deaths.get(step.kind, 0) + 1
            elif observation.cpu_seconds <= QUICK and not self.layerless:
                self.quick.add(step.kind)

    def _note(self, step: Step | StackStep, observation: Observation) -> None:
        self.runs[step.name] = observation
        if isinstance(step, StackStep):
            missing = observation.ended is Ended.MISSING
            self.layerless = missing and not observation.layers
        elif step.kind is Call.FORWARD and observation.ok:
            self.handles.add(step.handle)

    def _several(self) -> list[Step | StackStep]:
        """Return the next steps that go in one request; none where each is to be alone."""
        if self.one_by_one or time.monotonic() > self.started + LATEST_AT_ONCE:
            return []
        several = list(
            itertools.takewhile(lambda s: s.kind in self.quick and not s.alone, self.todo[:AT_ONCE])
        )
        return several if len(several) > 1 else []

    def _run_together(self, child: Child, several: list[Step | StackStep]) -> bool:
        """Run some steps at once. Where one of them goes wrong, all steps are run anew.

        For the next child has no cache of this one's, and nothing that a call left behind.
        """
        replies = child.request_several([_request(step) for step in several], SECONDS_AT_ONCE)
        if not replies:
            self._start_over()
            return False
        del self.todo[: len(several)]
        for step, reply in zip(several, replies, strict=True):
            why = self._pointless(step)
            observation = _complete(step, _observation(reply))
            self._note(step, Observation(Ended.NOT_RUN, error=why) if why else observation)
        return True

    def _start_over(self) -> None:
        """Begin anew, step by step. The time until now is not the submission's."""
        self.todo = list(self.steps)
        self.runs.clear()
        self.deaths.clear()
        self.layerless = False
        self.one_by_one, self.lost = True, time.monotonic() - self.started

    def _pointless(self, step: Step | StackStep) -> str:
        """Return why a step is not run, "" when it is."""
        if self.deaths.get(step.kind, 0) >= MAX_DEATHS:
            return f"earlier calls of {step.kind} ended the process or filled its memory"
        if isinstance(step, StackStep):
            return "no layers were handed in" if self.layerless else ""
        if step.kind is Call.BACKWARD and step.handle not in self.handles:
            return "its forward gave no cache"
        before = self.runs.get(step.repeats)
        if before is not None and before.seconds > REPEAT_SECONDS:
            return "its time is known well enough"
        return ""


def _take(child: Child, step: Step | StackStep, seconds: float) -> Observation:
    return _complete(step, _observation(child.request(*_request(step), seconds)))


def _request(step: Step | StackStep) -> tuple[str, dict[str, Any], int]:
    """Return kind, items, and the most bytes of the reply."""
    room = step.room
    return step.kind, {**step.items, "max_bytes": str(room)}, room + TEXT_ROOM


REQUIRED = {Call.FORWARD: "loss", Call.TORCH: "loss", Call.VERIFY: "accepted"}


def _complete(step: Step | StackStep, observation: Observation) -> Observation:
    """Refuse a reply that claims success without what success brings."""
    name = REQUIRED.get(step.kind)
    if not observation.ok or name is None:
        return observation
    value = observation.arrays.get(name)
    if value is None or (name == "accepted" and value.size != 1):
        return Observation(Ended.BAD_RETURN, error=f"the answer lacks {name}")
    return observation


def _load(child: Child, submission: Submission, side: str, noise: int) -> Reply:
    items = loading_items(submission, side, noise) | {"max_bytes": str(LOAD_ROOM)}
    return child.request("load", items, LOAD_ROOM + TEXT_ROOM)


def _isolation(child: Child, facts: dict[str, str]) -> dict[str, str]:
    """Return what confines the child, before it has read a byte of the submission."""
    reply = child.greet()
    if reply.ended is not Ended.OK:
        words = bytes(child.output).decode("utf-8", "replace")
        raise SandboxError(f"a sandboxed process did not come up ({reply.detail}): {words}")
    return facts | {str(k): str(v) for k, v in json.loads(reply.items["isolation"]).items()}


def _reported(
    before: ProcessReport | None, load: Reply, child: Child, isolation: dict[str, str]
) -> ProcessReport:
    """Return the side's report with this child's life added to it."""
    output = bytes(child.output).decode("utf-8", "replace")
    if before is not None:
        return replace(
            before,
            output=before.output + output,
            output_bytes=before.output_bytes + child.output_bytes,
        )
    report = read_report(load.items, LoadReport) or LoadReport()
    named = (f for f in report.functions if NAME.fullmatch(f.name) and 0 <= f.line <= MAX_LINE)
    return ProcessReport(
        _observation(load),
        tuple(FunctionOutline(*astuple(f)) for f in named),
        tuple(LoadNote(*note) for note in report.notes if 0 <= note.line <= MAX_LINE),
        report.stand_ins,
        report.binding,
        report.deviations,
        report.alternatives,
        report.contract,
        tuple(CallAttempt(*astuple(a)[:-1]) for a in report.attempts if 0 <= a.line <= MAX_LINE),
        any(a.ended for a in report.attempts),
        output,
        child.output_bytes,
        isolation,
    )


def _observation(reply: Reply) -> Observation:
    """Return a reply as a record; what it says is the child's word, and is shown as such."""
    report = read_report(reply.items, CallReport) or CallReport()
    words = dict(vars(report), layers=tuple(LayerNames(*astuple(n)) for n in report.layers))
    items = {n: t for n in ("error", "traceback") if isinstance(t := reply.items.get(n), str)}
    return Observation(
        reply.ended,
        {n: a for n, a in reply.items.items() if isinstance(a, np.ndarray)},
        **words,
        error=items.get("error") or reply.detail,
        traceback=items.get("traceback", ""),
        frames=read_frames(reply.items),
        seconds=reply.seconds,
        cpu_seconds=reply.cpu_seconds,
    )
