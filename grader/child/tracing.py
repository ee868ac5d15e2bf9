"""Runs an instrumented copy of a submission and keeps what its expressions were (child's side).

Hearsay like all that a child says: the judge uses it to find lines, never for
a number. The reporters give back what they were given and never raise.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

import numpy as np

from grader.child import instrument, loading
from grader.source import cells

PHASES = ("forward", "backward", "torch")
FLOAT64, FLOAT32, INTEGER, BOOLEAN, COMPLEX = range(5)
"""dtype codes of the index; the values travel as float64, of a complex one the real part."""

MAX_SIZE = 4096
"""Entries of an array that is kept; the traced case has tens to hundreds."""

MAX_EVENTS = 100_000
"""Reports listened to: a submission that loops in Python repeats itself."""

MAX_ROWS = 4096
MAX_HIDDEN = 256
"""Variables of functions in no file that are watched."""

MAX_VALUES = 1 << 18
MAX_NDIM = 4

COLUMNS = (
    *("file", "line", "col", "end_line", "end_col", "kind", "function", "phase", "count"),
    *("order", "dtype", "ndim", "dim0", "dim1", "dim2", "dim3", "offset"),
    *("last_order", "last_dtype", "last_ndim", "last_dim0", "last_dim1", "last_dim2", "last_dim3"),
    "last_offset",
)
"""One row a place and phase: where it stands, its first and its last value (offset -1: none)."""

Copy = tuple[int, np.ndarray[Any, Any]]
"""A dtype code and a float64 copy."""

Woven = dict[tuple[str, bytes, int], tuple[CodeType, list[instrument.Entry]]]
"""Instrumented code by path, source and first place: a further load need not make it again."""


class Recorder:
    """Listens to the reports while a phase is open. One lives in a child, as its builtins."""

    def __init__(self) -> None:
        self.table: list[tuple[int, instrument.Entry]] = []
        self.slots: dict[tuple[int, int], list[Any]] = {}
        self.phase, self.order, self.busy = -1, 0, False
        self.pending: dict[int, list[Any]] = {}
        self.readers: dict[type, Any] = {float: _number, int: _number}

    def install(self) -> None:
        """Make the reporters known to all instrumented code."""
        for name, reporter in ((instrument.SEE, self.see), (instrument.HOLD, self.hold)):
            setattr(builtins, name, reporter)
        setattr(builtins, instrument.HELD, self.held)

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        """Listen while a phase runs; module level, say, is none."""
        self.phase = PHASES.index(phase)
        try:
            yield
        finally:
            self.phase = -1

    # ── the reporters ────────────────────────────────────────────────────────

    def see(self, number: int, value: Any) -> Any:
        """Note `value` for the place `number`, and give it back."""
        if self.phase >= 0 and not self.busy:
            self._note(number, value)
        return value

    def hold(self, number: int, value: Any) -> Any:
        """Remember the container (then the key) that a statement is about to change."""
        if self.phase >= 0:
            self.pending.setdefault(number, []).append(value)
        return value

    def held(self, number: int, how: bool | str) -> None:
        """Note the container as it is now. `how`: an attribute's name, or whether a key came."""
        held = self.pending.pop(number, [])
        if self.phase < 0 or self.busy or len(held) < (2 if how is True else 1):
            return
        whole = held[-2] if how is True else held[-1]
        try:
            if isinstance(how, str):
                whole = object.__getattribute__(whole, "__dict__").get(how)
            elif how and type(whole) is dict:
                whole = whole.get(held[-1])
        except BaseException:  # no plain attribute, or a key with an equality of its own
            return
        self._note(number, whole)

    def _note(self, number: int, value: Any) -> None:
        kind = type(value)
        reader = self.readers.get(kind, _unknown)
        if reader is None or self.order >= MAX_EVENTS:
            return
        self.busy = True  # a subclass of the candidate's may run code of its own here
        try:
            if reader is _unknown:
                self.readers[kind] = reader = _reader(kind)
            copy = None if reader is None else reader(value)
            if copy is not None:
                self._add(number, copy)
        except BaseException:  # whatever a strange object does when it is looked at
            return
        finally:
            self.busy = False

    def _add(self, number: int, copy: Copy) -> None:
        self.order += 1
        slot = self.slots.get((self.phase, number))
        if slot is not None:
            slot[0] += 1
            slot[3], slot[4] = self.order, copy
        elif len(self.slots) < MAX_ROWS:
            self.slots[self.phase, number] = [1, self.order, copy, 0, None]

    @contextmanager
    def beyond(self, files: dict[str, bytes]) -> Iterator[None]:
        """Note also what functions hold at their end that were compiled from text, not from a file.

        Their values stand where the file calls them.
        """
        hidden = _Hidden(self, files)
        sys.setprofile(hidden.profile)
        try:
            yield
        finally:
            sys.setprofile(None)

    # ── the answer ───────────────────────────────────────────────────────────

    def packed(self) -> dict[str, Any]:
        """Return `index` (int64, `COLUMNS`) and `values` (float64)."""
        numbers = {name: number for number, name in enumerate(self.functions)}
        store = _Store()
        slots = list(self.slots.items())
        firsts = [store.add(order, copy) for _, (_, order, copy, _, _) in slots]
        lasts = [store.add(order, copy) for _, (_, _, _, order, copy) in slots]
        rows = []
        for ((phase, number), slot), first, last in zip(slots, firsts, lasts, strict=True):
            file, entry = self.table[number]
            if first[-1] >= 0:
                place = (*entry[:5], numbers[entry.function])
                rows.append((file, *place, phase, slot[0], *first, *last))
        index = np.array(rows, np.int64).reshape(len(rows), len(COLUMNS))
        return {"index": index, "values": store.joined()}

    @property
    def functions(self) -> list[str]:
        """Return the dotted names that the column `function` counts."""
        return list(dict.fromkeys(entry.function for _, entry in self.table))


class _Hidden:
    """Watches code that stands in no file, such as that of `exec`."""

    def __init__(self, recorder: Recorder, files: dict[str, bytes]) -> None:
        self.recorder, self.numbers = recorder, dict[tuple[Any, ...], int]()
        self.lines = {path: data.split(b"\n") for path, data in files.items()}
        self.files = list(files)

    def profile(self, frame: Any, event: str, _value: Any) -> None:
        """Note the arrays of a function that stands in no file, when it returns."""
        if event != "return" or not frame.f_code.co_filename.startswith("<"):
            return
        caller = frame.f_back
        while caller is not None and caller.f_code.co_filename not in self.lines:
            caller = caller.f_back
        if caller is None or len(self.numbers) >= MAX_HIDDEN:
            return
        place = (caller.f_code.co_filename, caller.f_lineno)
        for name, value in list(frame.f_locals.items()):
            if type(value) is np.ndarray or isinstance(value, np.generic):
                self.recorder.see(self._number(place, frame.f_code, name), value)

    def _number(self, place: tuple[str, int], code: CodeType, name: str) -> int:
        """Return the number of a variable: its place is the line that calls."""
        key = (place, code, name)
        if key not in self.numbers:
            (path, line), table = place, self.recorder.table
            text = self.lines[path][line - 1].rstrip(b"\r")
            start = len(text) - len(text.lstrip())
            name = code.co_name if code.co_name.isidentifier() else ""
            entry = instrument.Entry(line, start, line, len(text), _CALL, name)
            self.numbers[key] = len(table)
            table.append((self.files.index(path), entry))
        return self.numbers[key]


_CALL = instrument.KINDS.index("call")


class _Store:
    """Values one after another, as long as there is room."""

    def __init__(self) -> None:
        self.parts: list[np.ndarray[Any, Any]] = []
        self.size = 0

    def add(self, order: int, copy: Copy | None) -> tuple[int, ...]:
        """Return the columns from `order` to `offset`."""
        if copy is None or self.size + copy[1].size > MAX_VALUES:
            return order, 0, 0, 0, 0, 0, 0, -1
        code, array = copy
        offset, self.size = self.size, self.size + array.size
        self.parts.append(array.reshape(-1))
        dims = array.shape + (0,) * (MAX_NDIM - array.ndim)
        return order, code, array.ndim, *dims, offset

    def joined(self) -> np.ndarray[Any, Any]:
        return np.concatenate(self.parts) if self.parts else np.empty(0)


def _number(value: Any) -> Copy:
    return (INTEGER if isinstance(value, int) else FLOAT64), np.array(float(value))


def _array(value: Any) -> Copy | None:
    """Return a copy of an array or NumPy scalar; None for what is too large or no number."""
    kind = value.dtype.kind
    if value.size > MAX_SIZE or value.ndim > MAX_NDIM or kind not in "fiubc":
        return None
    if kind == "c":
        return COMPLEX, np.array(value.real, np.float64, copy=True, order="C", subok=False)
    single = kind == "f" and value.dtype.itemsize <= 4
    code = {"f": FLOAT32 if single else FLOAT64, "b": BOOLEAN}.get(kind, INTEGER)
    return code, np.array(value, np.float64, copy=True, order="C", subok=False)


def _tensor(value: Any) -> Copy | None:
    if value.numel() > MAX_SIZE:
        return None
    return _array(value.detach().cpu().resolve_neg().numpy())


def _unknown(_value: Any) -> None:
    """Stand for a type that was not met before."""


def _reader(kind: type) -> Any:
    """Return how values of a type are copied; None for what is no array and no number."""
    if issubclass(kind, np.ndarray | np.generic):
        return _array
    torch = sys.modules.get("torch")
    tensors = (
        getattr(torch, "Tensor", None),
        getattr(getattr(torch, "nn", None), "Parameter", None),
    )
    return _tensor if kind in tensors else None


# ── loading ──────────────────────────────────────────────────────────────────


class Tracer(loading.Loader):
    """Loads the files of one submission instrumented, for one recorder."""

    seconds = 1.0  # a demo is slow while it is watched, and of no interest

    def __init__(self, files: dict[str, bytes], recorder: Recorder, woven: Woven) -> None:
        super().__init__(files)
        self.recorder, self.woven = recorder, woven
        self.number = {path: index for index, path in enumerate(files)}

    def tree(self, path: str) -> ast.Module:
        """Return the instrumented tree; its places join the recorder's table."""
        source = cells.mended(self.files[path], path)
        tree, entries = instrument.instrumented_tree(source, path, len(self.recorder.table))
        self._join(path, entries)
        return tree

    def weave(self, tree: ast.Module, path: str) -> CodeType:
        """Return the instrumented code of statements that are executed by themselves."""
        self._join(path, instrument.instrument_tree(tree, len(self.recorder.table)))
        return compile(tree, path, "exec", dont_inherit=True)

    def _join(self, path: str, entries: list[instrument.Entry]) -> None:
        self.recorder.table += [(self.number[path], entry) for entry in entries]

    def code(self, path: str) -> CodeType:
        """Return instrumented code; plain code where nesting is too deep for twice its depth."""
        table = self.recorder.table
        key = (path, self.files[path], len(table))
        if key in self.woven:
            self._join(path, self.woven[key][1])
        else:
            try:
                code = compile(self.tree(path), path, "exec", dont_inherit=True)
            except RecursionError:
                return super().code(path)
            self.woven[key] = (code, [entry for _, entry in table[key[2] :]])
        return self.woven[key][0]
