"""The line of a defect: where an expression first takes the value that only the bug gives."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from grader.diagnosis.witnesses import Witness
from grader.observe.trace import Trace, TracedValue
from grader.records import Array, Defect
from grader.source.program import Program, Span

CLOSE = 1e-8
CLOSE_SINGLE = 1e-4
NOTHING = 1e-5
"""Least size that closeness is measured against: a sum that cancels leaves 1e-17, not zero."""

GRADIENT = re.compile(r"^(d|grad_?|delta_?|g)_?", re.IGNORECASE)
ACTIVATION = re.compile(r"h|a\d|act|relu|hidden", re.IGNORECASE)
PRE_ACTIVATION = re.compile(r"z|pre|lin", re.IGNORECASE)
LOGITS = re.compile(r"z|logit|score|out", re.IGNORECASE)
BIAS = re.compile(r"b\d?$|bias", re.IGNORECASE)
LOSS = re.compile(r"loss|cost|nll|ce", re.IGNORECASE)
LEAF = re.compile(r"^(W\d?|b\d?|X)$", re.IGNORECASE)

GATE = re.compile(r"[<>]|where|mask|sign|greater|less|clip|heaviside", re.IGNORECASE)
MAKES = ("multiply", "call", "binary", "choice")
"""A gate in the source that gates nothing gives its input again, and is the line all the same."""

HANDED_ON: Mapping[str, tuple[re.Pattern[str], re.Pattern[str] | None]] = {
    "relu-mask-missing": (PRE_ACTIVATION, ACTIVATION),
    "relu-missing": (ACTIVATION, PRE_ACTIVATION),
    "bias-grad-not-summed": (BIAS, None),
    "grad-missing-batch-mean": (LOGITS, None),
    "loss-not-scalar": (LOSS, None),
    "loss-sum-not-mean": (LOSS, None),
}
"""Bugs by omission: the value is right under one name and wrong under the next. The names that
it should not have, and those that it may: `dH1` may equal dH1, `Z1` may equal Z1."""


def placed(
    defect: Defect,
    witnesses: Sequence[Witness | Array],
    trace: Trace,
    program: Program | None = None,
) -> Defect:
    """`defect` with file and line, where the trace shows one of its wrong values."""
    for given in witnesses:
        witness = given if isinstance(given, Witness) else Witness((given,))
        passed_on = program.passed_on if program else ()
        matches = sorted(_matches(witness, trace, passed_on), key=lambda pair: pair[0])
        if not matches:
            continue
        values = [value for _, value in matches]
        best = values[0]
        if program is not None and defect.code in HANDED_ON:
            best = _handed_on(defect.code, values, program, trace) or best
        return at(defect, best, trace)
    return defect


def first_match(witness: Witness, trace: Trace) -> TracedValue | None:
    """The first expression that takes one of the witness's values."""
    matches = _matches(witness, trace, ())
    return min(matches, key=lambda pair: pair[0], default=(None, None))[1]


def at(defect: Defect, value: TracedValue, trace: Trace) -> Defect:
    """`defect` at the place of a traced expression."""
    lines = trace.sources.get(value.file, ())
    source = lines[value.line - 1].strip() if value.line <= len(lines) else None
    return replace(defect, file=value.file, line=value.line, end_line=value.end_line, source=source)


def _matches(
    witness: Witness, trace: Trace, passed_on: Container[tuple[str, Span]]
) -> Iterator[tuple[tuple[bool, int], TracedValue]]:
    """Values equal to one of the witness's, with what sorts the best first.

    A value of just the wanted shape is better than its transpose, an earlier one than a later.
    """
    given = [v for v in witness.values if v.size and np.isfinite(v).all()]
    wanted = [v for v in given if v.any()]
    cancelled = witness.backward and any(v.size == 1 and _is_nothing(v) for v in given)
    for value in trace.values:
        if witness.backward and value.phase == "forward":
            continue
        copied = value.kind == "call" and _place(value) in passed_on
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


# ── bugs by omission ─────────────────────────────────────────────────────────


def _handed_on(
    code: str, matches: list[TracedValue], program: Program, trace: Trace
) -> TracedValue | None:
    """The first place at which the value gets a name that should not have it.

    None where it is made under such a name, or never given on.
    """
    wrong, right = HANDED_ON[code]
    made = plain(program.assigned.get(_place(matches[0]), ""))
    if wrong.search(made):
        return None
    ranked: list[tuple[int, int, TracedValue]] = []
    for value in matches:
        passed, kept = program.passed_on.get(_place(value)), program.assigned.get(_place(value), "")
        name = plain(passed or kept)
        again = value is not matches[0] and np.array_equal(value.value, matches[0].value)
        again = again and not (value.kind in MAKES and GATE.search(trace.text(value)))
        if passed is None and (again or not wrong.search(name)):
            continue
        if passed == "return" or wrong.search(name):
            ranked.append((0, value.order, value))
        elif right is None or LEAF.search(name) or (right.search(name) and right.search(made)):
            continue
        else:
            stored = passed is not None and passed.startswith("kept ")
            ranked.append((3 if right.search(name) else 2 if stored else 1, value.order, value))
    return min(ranked, key=lambda r: r[:2])[2] if ranked else None


def plain(name: str) -> str:
    """A variable's name without what marks it as a gradient."""
    return GRADIENT.sub("", name.removeprefix("kept ")) or name


def _place(value: TracedValue) -> tuple[str, Span]:
    return value.file, (value.line, value.col, value.end_line, value.end_col)
