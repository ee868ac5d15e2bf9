"""What only the source shows, since the numbers are right; and lines for the unexplained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.checks.view import View
from grader.diagnosis.facts import first_wrong, mask_source, recomputes_forward
from grader.diagnosis.numeric import make
from grader.observe.reading import NamedTrace
from grader.observe.trace import Trace, TracedValue
from grader.records import Confidence, Defect

UNEXPLAINED = ("loss-unexplained", "grad-unexplained")


def read_on_primes(trace: Trace, view: View) -> NamedTrace:
    """A trace with its values named by the tensors that are right there."""
    return view.named if trace is view.trace else view.names_of(trace)


def habits(named: NamedTrace) -> list[Defect]:
    """What is done in another way than the problem asks, with the same numbers."""
    found = []
    gate = mask_source(named)
    if gate is not None and "H1" in gate.source:
        text = "The gate is read off H1, not off the cached pre-activation Z1 (the same numbers)."
        defect = make("relu-mask-from-activation", text, (), Confidence.PROVEN)
        found.append(at(defect, gate.at, named.trace))
    again = recomputes_forward(named)
    if again:
        text = "backward computes again what the forward has computed."
        found.append(at(make("recomputes-forward", text), again[0], named.trace))
    return found


def with_first_wrong(defects: Sequence[Defect], named: NamedTrace) -> list[Defect]:
    """The unexplained with the first expression of right inputs and a wrong value."""
    wrong = first_wrong(named)
    if wrong is None:
        return list(defects)
    return [
        at(d, wrong, named.trace)
        if d.code in UNEXPLAINED and d.line is None and _can_spoil(wrong, d)
        else d
        for d in defects
    ]


def _can_spoil(wrong: TracedValue, defect: Defect) -> bool:
    """What is wrong in backward alone has no part in the loss."""
    return defect.code != "loss-unexplained" or wrong.phase != "backward"


def at(defect: Defect, value: TracedValue, trace: Trace) -> Defect:
    """`defect` at the place of a traced expression."""
    lines = trace.sources.get(value.file, ())
    source = lines[value.line - 1].strip() if value.line <= len(lines) else None
    return replace(defect, file=value.file, line=value.line, end_line=value.end_line, source=source)
