"""A trace with names: every value as a tensor of the problem, every expression with its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grader.observe.naming import Name, Namer
from grader.observe.trace import Trace, TracedValue
from grader.records import Array

MAX_NESTING = 64
"""Levels of expressions within expressions; what a child says is deeper has no parts."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One value of one expression with its name, and the readings of its direct sub-expressions."""

    at: TracedValue
    value: Array
    order: int
    name: Name | None
    parts: tuple[Reading, ...]

    @property
    def base(self) -> str:
        """Return the tensor it is a form of, "" for none."""
        return self.name.base if self.name else ""

    @property
    def key(self) -> bytes:
        """Alike for alike values."""
        return repr(self.value.shape).encode() + self.value.astype(np.float64).tobytes()


@dataclass(frozen=True)
class NamedTrace:
    """A trace, read: `readings` in the order of evaluation, first and last values apart."""

    trace: Trace
    readings: tuple[Reading, ...]
    known: Mapping[str, Array]
    sizes: Mapping[str, int]

    def during(self, phase: str) -> list[Reading]:
        """Return the readings of one phase."""
        return [r for r in self.readings if r.at.phase == phase]


def read_names(trace: Trace, namer: Namer) -> NamedTrace:
    """Name every value of a trace."""
    readings: list[Reading] = []
    firsts: dict[int, Reading] = {}
    lasts: dict[int, Reading] = {}
    parts = _direct_parts(trace)
    for index in sorted(range(len(trace.values)), key=lambda i: -parts[i][1]):
        at, inside = trace.values[index], parts[index][0]
        first = Reading(at, at.value, at.order, namer(at.value), tuple(firsts[i] for i in inside))
        readings.append(first)
        firsts[index] = lasts[index] = first
        if at.last is not None:
            again = tuple(lasts[i] for i in inside)
            lasts[index] = Reading(at, at.last, at.last_order, namer(at.last), again)
            readings.append(lasts[index])
    readings.sort(key=lambda r: r.order)
    return NamedTrace(trace, tuple(readings), namer.known, namer.sizes)


def _direct_parts(trace: Trace) -> list[tuple[list[int], int]]:
    """Return for each value the indices of its direct sub-expressions, and its nesting."""
    parts: list[tuple[list[int], int]] = [([], 0) for _ in trace.values]
    groups: dict[tuple[str, str], list[int]] = {}
    for index, value in enumerate(trace.values):
        groups.setdefault((value.file, value.phase), []).append(index)
    for group in groups.values():
        stack: list[int] = []
        for index in sorted(group, key=lambda i: outer_first(trace.values[i])):
            while stack and not trace.values[index].within(trace.values[stack[-1]]):
                stack.pop()
            if 0 < len(stack) < MAX_NESTING:
                parts[stack[-1]][0].append(index)
            parts[index] = ([], len(stack))
            stack.append(index)
    return parts


def outer_first(value: TracedValue) -> tuple[int, ...]:
    """Return the key by which each expression stands before its parts."""
    return value.line, value.col, -value.end_line, -value.end_col, -value.order
