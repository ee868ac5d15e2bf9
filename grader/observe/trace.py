"""What every expression of a submission was on one run, brought back from a child.

The child could lie about all of it: places are held against the source, sizes
against caps, and no score ever depends on a trace. It only finds lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.child.instrument import KINDS
from grader.child.reports import TraceReport
from grader.child.tracing import (
    BOOLEAN,
    COLUMNS,
    COMPLEX,
    FLOAT32,
    INTEGER,
    MAX_NDIM,
    MAX_ROWS,
    MAX_SIZE,
    MAX_VALUES,
    PHASES,
)
from grader.errors import SandboxError
from grader.observe.observe import Allowance
from grader.observe.replies import read_report
from grader.observe.requests import loading_items
from grader.observe.spare import ask
from grader.problem import Paper
from grader.records import Array, Ended, Submission, read_only
from grader.sandbox.pool import Zygote
from grader.sandbox.session import Child
from grader.source.extent import sources_of

CASE = "primes"
"""The traced case: sizes are distinct primes, so shapes read back as symbols."""

SECONDS = 5.0
"""A trace that takes longer is done without; the run it repeats took milliseconds."""

TEXT_ROOM = 256 * 1024
REPLY_BYTES = 8 * (MAX_VALUES + MAX_ROWS * len(COLUMNS)) + TEXT_ROOM
MAX_REASON = 500
FUNCTION = re.compile(r"[\w.]{0,200}")
DTYPES = {FLOAT32: np.float32, INTEGER: np.int64, BOOLEAN: np.bool_, COMPLEX: np.float64}


@dataclass(frozen=True, slots=True)
class TracedValue:
    """One expression in one phase: where it stands, and what it was the first and the last time.

    Lines count from 1, columns in UTF-8 bytes from 0, as `ast` has them. `kind` is
    one of `instrument.KINDS`, `phase` one of `tracing.PHASES`, `function` the dotted
    name of what it stands in. `order` counts evaluations from 1, over all phases.
    `last` is None when it was evaluated once. `imaginary`: one of the two had an imaginary
    part, which is left out.
    """

    file: str
    line: int
    col: int
    end_line: int
    end_col: int
    kind: str
    function: str
    phase: str
    order: int
    count: int
    value: Array
    last: Array | None = None
    last_order: int = 0
    imaginary: bool = False

    @property
    def span(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Start and end as (line, column)."""
        return (self.line, self.col), (self.end_line, self.end_col)

    def within(self, other: TracedValue) -> bool:
        """Return whether this expression is a part of `other`, or `other`, in the same phase."""
        (start, end), (first, last) = self.span, other.span
        same = self.file == other.file and self.phase == other.phase
        return same and first <= start and end <= last


@dataclass(frozen=True)
class Trace:
    """The values in the order of their first evaluation; empty, with a `reason`, when it failed.

    `stopped` is the error that ended the run early, if one did. `sources` are the lines by file.
    `taken`: a child was asked for it, so that no values mean that none were to be seen.
    """

    values: tuple[TracedValue, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason: str = ""
    stopped: str = ""
    taken: bool = False

    def text(self, value: TracedValue) -> str:
        """Return the source of an expression, its lines joined by a blank."""
        lines = [s.encode() for s in self.sources[value.file][value.line - 1 : value.end_line]]
        lines[-1] = lines[-1][: value.end_col]
        lines[0] = lines[0][value.col :]
        return " ".join(line.decode("utf-8", "replace").strip() for line in lines)


def take_trace(
    submission: Submission,
    paper: Paper,
    side: str,
    zygote: Zygote,
    allowance: Allowance,
    child: Child | None = None,
) -> Trace:
    """Return every expression's values on `primes`; `side` is "numpy" or "torch".

    Runs in `child`, or in one of its own. Whatever goes wrong gives an empty trace.
    """
    sources = sources_of(submission)
    items = {**loading_items(submission, side, paper.noise), **paper.cases[CASE].inputs}
    items["max_bytes"] = str(REPLY_BYTES)
    try:
        request = ("trace", items, REPLY_BYTES + TEXT_ROOM)
        seconds = min(SECONDS, allowance.seconds)
        reply = ask(child, zygote, allowance.limits, request, seconds)
    except SandboxError as error:
        return Trace(reason=str(error))
    if reply.ended is not Ended.OK:
        why = reply.items.get("error") or reply.detail
        return Trace(sources=sources, reason=f"{reply.ended}: {why}"[:MAX_REASON], taken=True)
    return read_trace(reply.items, sources, PHASES[:2] if side == "numpy" else PHASES[2:])


# ── reading what the child said ──────────────────────────────────────────────


class _Contradiction(Exception):
    """The reply cannot be a trace of this source."""


def read_trace(
    items: Mapping[str, Any], sources: Mapping[str, tuple[str, ...]], phases: tuple[str, ...]
) -> Trace:
    """Return the trace in a reply, every number of it checked; empty when one does not fit."""
    try:
        index = _array(items.get("index"), np.int64, 2)
        values = _array(items.get("values"), np.float64, 1)
        report = read_report(items, TraceReport)
        _require(index.shape[1] == len(COLUMNS) and len(index) <= MAX_ROWS)
        _require(values.size <= MAX_VALUES)
        if report is None:
            raise _Contradiction
        reader = _Reader(values, report.functions, sources, phases)
        rows = [reader.row(row) for row in reader.known(index)]
    except _Contradiction:
        return Trace(sources=sources, reason="the trace does not fit the source", taken=True)
    values_in_order = tuple(sorted(rows, key=lambda v: v.order))
    return Trace(values_in_order, sources, stopped=report.stopped[:MAX_REASON], taken=True)


def _require(condition: bool) -> None:
    if not condition:
        raise _Contradiction


def _array(value: object, dtype: type, ndim: int) -> Array:
    if not isinstance(value, np.ndarray) or value.dtype != dtype or value.ndim != ndim:
        raise _Contradiction
    return value


class _Reader:
    """Turns rows of the index into values."""

    def __init__(
        self,
        values: Array,
        functions: Sequence[str],
        sources: Mapping[str, tuple[str, ...]],
        phases: tuple[str, ...],
    ) -> None:
        self.values, self.functions, self.phases = values, functions, phases
        self.files, self.unread = list(sources.items()), values.size
        self.widths = {path: [len(line.encode()) for line in lines] for path, lines in self.files}

    def known(self, index: Array) -> Iterator[dict[str, int]]:
        """Yield the rows that do not stand in a file that the judge has not read."""
        for numbers in index.tolist():
            row = dict(zip(COLUMNS, numbers, strict=True))
            file = row["file"]
            if not 0 <= file < len(self.files) or self.files[file][1]:
                yield row

    def row(self, row: dict[str, int]) -> TracedValue:
        """Return one row. Raises `_Contradiction`."""
        _require(0 <= row["file"] < len(self.files) and 0 <= row["kind"] < len(KINDS))
        _require(0 <= row["function"] < len(self.functions) and 0 <= row["phase"] < len(PHASES))
        path, phase = self.files[row["file"]][0], PHASES[row["phase"]]
        function = self.functions[row["function"]]
        _require(phase in self.phases and FUNCTION.fullmatch(function) is not None)
        self._check_place(self.widths[path], row)
        _require(row["count"] >= 1 and row["order"] >= 1)
        value = self._value(row, "")
        _require(value is not None)
        assert value is not None
        last = self._value(row, "last_") if row["last_order"] > row["order"] else None
        place = (path, row["line"], row["col"], row["end_line"], row["end_col"])
        kind = KINDS[row["kind"]]
        known = (*place, kind, function, phase, row["order"], row["count"], value)
        imaginary = COMPLEX in (row["dtype"], row["last_dtype"])
        order = row["last_order"] if last is not None else 0
        return TracedValue(*known, last, order, imaginary)

    @staticmethod
    def _check_place(widths: list[int], row: dict[str, int]) -> None:
        start, end = (row["line"], row["col"]), (row["end_line"], row["end_col"])
        _require(1 <= start[0] <= end[0] <= len(widths) and start < end)
        _require(0 <= start[1] <= widths[start[0] - 1] and 0 <= end[1] <= widths[end[0] - 1])

    def _value(self, row: dict[str, int], which: str) -> Array | None:
        """Return the first or the `last_` value; None when it was not sent."""
        offset, ndim, code = row[f"{which}offset"], row[f"{which}ndim"], row[f"{which}dtype"]
        if offset == -1:
            return None
        _require(0 <= ndim <= MAX_NDIM and offset >= 0)
        shape, size = tuple(row[f"{which}dim{i}"] for i in range(ndim)), 1
        for length in shape:
            _require(0 <= length <= MAX_SIZE)
            size *= length
        self.unread -= size  # no value is sent twice: what overlaps would grow here
        _require(size <= MAX_SIZE and self.unread >= 0 and code in (0, *DTYPES))
        _require(offset + size <= self.values.size)
        array = self.values[offset : offset + size].reshape(shape)
        if code == INTEGER:
            _require(bool(np.all(np.abs(array) < 2.0**62)))
        with np.errstate(all="ignore"):
            return read_only(array.astype(DTYPES.get(code, np.float64)))
