"""The values by which a fault of the table can be found in a trace."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

import numpy as np

from grader.observe.trace import Trace, TracedValue
from grader.records import Array
from grader.source.program import Span

CLOSE = 1e-8
CLOSE_SINGLE = 1e-4
NOTHING = 1e-5
"""Least size that closeness is measured against: a sum that cancels leaves 1e-17, not zero."""


@dataclass(frozen=True, eq=False)
class Witness:
    """Values that only a wrong line has; the first expression that takes any tells the line.

    `backward` keeps to that pass: a wrong gradient may be a right value of the forward.
    `copied` are values that are wrong only as what the pass begins with: copies of them count.
    """

    values: tuple[Array, ...]
    backward: bool = False
    copied: tuple[Array, ...] = ()


def first_match(witness: Witness, trace: Trace) -> TracedValue | None:
    """Return the first expression that takes one of the witness's values."""
    return next(iter(matches(witness, trace, ())), None)


def matches(
    witness: Witness, trace: Trace, passed_on: Container[tuple[str, Span]]
) -> list[TracedValue]:
    """Return the expressions with one of the witness's values, the best first.

    A value of just the wanted shape is better than its transpose, an earlier one than a later.
    `passed_on` are the places at which a value is handed to another name.
    """
    ranked = sorted(_ranked(witness, trace, passed_on), key=lambda pair: pair[0])
    return [value for _, value in ranked]


def place_of(value: TracedValue) -> tuple[str, Span]:
    """Return the file of an expression, and where in it the expression stands."""
    return value.file, (value.line, value.col, value.end_line, value.end_col)


def _ranked(
    witness: Witness, trace: Trace, passed_on: Container[tuple[str, Span]]
) -> Iterator[tuple[tuple[bool, int], TracedValue]]:
    given = [v for v in witness.values if v.size and np.isfinite(v).all()]
    wanted = [v for v in given if v.any()]
    cancelled = witness.backward and any(v.size == 1 and _is_nothing(v) for v in given)
    for value in trace.values:
        if witness.backward and value.phase == "forward":
            continue
        copied = value.kind == "call" and place_of(value) in passed_on
        for array in (*wanted, *(witness.copied if copied else ())):
            if (order := _taken(value, array)) is not None:
                shape = value.value.shape != array.shape
                yield (shape and value.count <= 2, order), value
                break
        else:
            if cancelled and value.kind == "call" and _is_cancelled_sum(value.value):
                yield (False, value.order), value


def _is_nothing(array: Array) -> bool:
    """Zero but for rounding, which may leave exactly zero and may not."""
    return float(np.abs(array).max(initial=0.0)) <= CLOSE * NOTHING


def _is_cancelled_sum(array: Array) -> bool:
    return array.size == 1 and array.dtype.kind == "f" and _is_nothing(array)


def _taken(value: TracedValue, wanted: Array) -> int | None:
    """The order of the evaluation in which an expression takes a value, None if it never does.

    In a loop over the examples it takes one row after the other.
    """
    scale = max(float(np.abs(wanted).max()), NOTHING)
    if _equal(value.value, wanted, scale):
        return value.order
    if value.last is None:
        return None
    if _equal(value.last, wanted, scale):
        return value.last_order
    if value.count >= 2 and wanted.ndim and wanted.shape[0] == value.count:
        ends = (value.value, wanted[0]), (value.last, wanted[-1])
        if all(_equal(got, np.asarray(want), scale) for got, want in ends):
            return value.order
    return None


def _equal(array: Array, wanted: Array, scale: float) -> bool:
    """Equal up to rounding, as it is or transposed, whatever the axes of length one."""
    if array.size != wanted.size or array.dtype.kind not in "f":
        return False
    close = CLOSE if array.dtype != np.float32 else CLOSE_SINGLE
    for form in (array, array.T):
        if form.shape == wanted.shape or np.squeeze(form).shape == np.squeeze(wanted).shape:
            with np.errstate(all="ignore"):
                gap = np.abs(form.reshape(wanted.shape) - wanted).max()
                if gap <= close * scale and form.any():
                    return True
    return False
