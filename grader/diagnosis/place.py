"""The line of a defect: where an expression first takes the value that only the bug gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from grader.observe.trace import Trace, TracedValue
from grader.records import Array, Defect

CLOSE = 1e-8

PASSED_ON = {
    "relu-mask-missing": re.compile(r"h|a\d|act|relu|hidden", re.IGNORECASE),
    "relu-missing": re.compile(r"z|pre|lin", re.IGNORECASE),
}
"""Bugs by omission: the value is right under one name and wrong under the next. The pattern
tells the names under which it is right: `dH1` may equal dH1, `Z1` may equal Z1."""


def placed(defect: Defect, witnesses: Sequence[Array], trace: Trace) -> Defect:
    """`defect` with file and line, where the trace shows one of its wrong values."""
    for witness in witnesses:
        matches = sorted(_matches(witness, trace), key=lambda v: v.value.shape != witness.shape)
        if not matches:
            continue
        best = matches[0]
        if defect.code in PASSED_ON:
            best = _handed_on(matches, trace, PASSED_ON[defect.code])
        lines = trace.sources.get(best.file, ())
        source = lines[best.line - 1].strip() if best.line <= len(lines) else None
        return replace(
            defect, file=best.file, line=best.line, end_line=best.end_line, source=source
        )
    return defect


def _matches(witness: Array, trace: Trace) -> Iterator[TracedValue]:
    """Values equal to the witness, as it is or transposed, in the order of evaluation."""
    if witness.size == 0 or not np.isfinite(witness).all() or not witness.any():
        return
    scale = float(np.abs(witness).max())
    for value in sorted(trace.values, key=lambda v: v.order):
        for array in (value.value, value.last):
            if array is None or array.size != witness.size or array.dtype == np.bool_:
                continue
            if _equal(array, witness, scale):
                yield value
                break


def _equal(array: Array, witness: Array, scale: float) -> bool:
    close = CLOSE if array.dtype != np.float32 else 1e-4
    for form in (array, array.T):
        if form.shape == witness.shape or np.squeeze(form).shape == np.squeeze(witness).shape:
            shaped = form.reshape(witness.shape)
            with np.errstate(all="ignore"):
                if np.abs(shaped - witness).max() <= close * scale:
                    return True
    return False


def _handed_on(matches: list[TracedValue], trace: Trace, rightful: re.Pattern[str]) -> TracedValue:
    """The first match under a name that should not have this value."""
    first = matches[0]
    line = trace.sources[first.file][first.line - 1]
    target = re.match(r"\s*(?:self\.)?(?:d_?|grad_?)?(\w+)\s*=", line)
    if target is None or not rightful.search(target.group(1)):
        return first
    later = (m for m in matches if (m.file, m.line) != (first.file, first.line))
    return next(later, first)
