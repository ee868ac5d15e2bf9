"""Puts other gradients in a run of an instrumented submission than it computed (child's side).

Every expression of the submission reports its value. So the place where a gradient first
stands is known from one run, and in a later run another value is put there: in the array
itself where that can be done, so that whoever holds it has it too, else in what the
expression gives. It does not matter how the gradient travels on from there.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.child import instrument, tracing
from grader.child.reports import NOWHERE, Place
from grader.child.trials.points import Points

Array = np.ndarray[Any, Any]

CLOSE = 1e-5
"""Relative to the largest entry: what one side computes is found again, in float32 as well."""

SAME_NUMBER = 1e-12
MAX_TRUTHS = 4096
"""Comparisons kept of one place: a loop over entries has as many."""

MAX_LEAVES = 24
Reporter = Callable[[int, Any], Any]


@dataclass(frozen=True, slots=True)
class Known:
    """An array to look out for: `role` is "hand", "auto" or "input", `tensor` its name."""

    role: str
    tensor: str
    array: Array
    scale: float

    def equals(self, other: Array) -> bool:
        """Return whether `other`, of the same shape, has the same numbers."""
        limit = CLOSE * self.scale
        if not self.array.size or not abs(float(other.item(0)) - self.array.item(0)) <= limit:
            return False
        return bool(np.abs(other - self.array).max() <= limit)


def known(role: str, tensor: str, array: Array) -> Known:
    """Return `array` as something to look out for; one with a NaN is never found."""
    return Known(role, tensor, array, float(np.abs(array).max(initial=0.0)))


@dataclass(frozen=True, slots=True)
class Sight:
    """The first time that a known array was seen at the place `number`.

    `through` is the file and line of the outermost call of the submission's, where asked for.
    """

    order: int
    number: int
    is_tensor: bool
    through: Place = NOWHERE


@dataclass
class Run:
    """One run: what to look out for and to put in another's place, and what was noticed.

    `loss` are two numbers: where the first occurs, the second is given. `leaves` are the
    tensors that require a gradient, with the places where each occurred, `derived` what
    `torch.autograd.grad` gave for them, `held` their numbers and those of their gradients when
    they were first seen with one: a script may train afterwards. `placed` are the gradients that
    were swapped, by role and tensor. `visits` counts the arrays of a shape at a place,
    `sightings` those that were known. `computes` says that arrays occurred which are no inputs.
    Given `files`, sights say by way of which line of these they came. `only` are the places whose
    truths are asked for, None for all: with it nothing is noticed anywhere else, but for the swaps.
    """

    watched: dict[tuple[int, ...], list[Known]] = field(default_factory=dict)
    swaps: dict[int, list[tuple[Known, Array, bool]]] = field(default_factory=dict)
    loss: tuple[float, float] | None = None
    learning: bool = False
    order: int = 0
    truths: dict[int, list[bool]] = field(default_factory=dict)
    sights: dict[tuple[str, str], dict[int, Sight]] = field(default_factory=dict)
    visited: dict[int, None] = field(default_factory=dict)
    leaves: dict[int, tuple[Any, set[int]]] = field(default_factory=dict)
    labels: list[Array] = field(default_factory=list)
    derived: dict[int, Any] = field(default_factory=dict)
    held: dict[int, tuple[Array, Array]] = field(default_factory=dict)
    swapped: set[str] = field(default_factory=set)
    placed: set[str] = field(default_factory=set)
    visits: dict[tuple[int, tuple[int, ...]], int] = field(default_factory=dict)
    sightings: dict[tuple[int, str, str], int] = field(default_factory=dict)
    files: Container[str] = ()
    computes: bool = False
    only: frozenset[int] | None = None

    def watch(self, role: str, arrays: Mapping[str, Array]) -> None:
        """Look out for the float arrays among `arrays`, by tensor."""
        for tensor, array in arrays.items():
            if array.dtype.kind == "f":
                self.watched.setdefault(array.shape, []).append(known(role, tensor, array))

    def swap(self, number: int, was: Known, value: Array, *, always: bool = False) -> None:
        """Put `value` where at that place something equals `was`; `always`: has its shape."""
        self.swaps.setdefault(number, []).append((was, value, always))

    def is_steady(self, number: int, was: Known) -> bool:
        """Return whether all of that shape that stood at a place were that gradient."""
        seen = self.sightings.get((number, was.role, was.tensor), 0)
        return seen > 0 and seen == self.visits.get((number, was.array.shape))

    @property
    def places(self) -> frozenset[int] | None:
        """Return the places where something can be noticed or swapped; None for all of them."""
        if self.only is None or self.loss is not None:
            return None
        return self.only.union(self.swaps)


class Spoiler(tracing.Recorder):
    """The reporters of a submission whose gradients are made wrong.

    While there are `points`, what is a step away from an input is noted there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self.points: Points | None = None
        self.handlers: dict[type, Any] = {
            bool: self._truth,
            np.bool_: self._truth,
            float: self._number,
            np.float64: self._number,
            np.float32: self._number,
        }

    def install(self) -> None:
        """Install each reporter behind a door that is open at some places only."""
        super().install()
        self.doors = [
            _door(name, getattr(builtins, name))
            for name in (instrument.SEE, instrument.HOLD, instrument.HELD)
        ]

    @contextmanager
    def during_run(self, run: Run) -> Iterator[None]:
        """Listen, and swap, for one run."""
        self.run, self.phase = run, 0
        self.pending.clear()
        for open_at in self.doors:
            open_at(run.places)
        try:
            yield
        finally:
            self.run, self.phase = None, -1
            for open_at in self.doors:
                open_at(frozenset())

    def see(self, number: int, value: Any) -> Any:
        """Note `value`; give it back, or what is put in its place."""
        if self.run is None or self.busy:
            return value
        self.busy = True  # a subclass of the candidate's may run code of its own here
        try:
            if self.run.learning:
                self.run.visited[number] = None
            kind = type(value)
            handler = self.handlers.get(kind, self)
            if handler is self:
                self.handlers[kind] = handler = self._handler(kind)
            return value if handler is None else handler(self.run, number, value)
        except Exception:  # whatever a strange object does when it is looked at
            return value
        finally:
            self.busy = False

    def derive(self, plain: Any) -> Any:
        """Return `torch.autograd.grad`, which leaves nothing in `.grad`, with its results noted."""

        def grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            slopes = plain(outputs, inputs, *args, **kwargs)
            if self.run is not None and self.run.learning:
                leaves = inputs if isinstance(inputs, list | tuple) else [inputs]
                self.run.derived |= {id(i): g for i, g in zip(leaves, slopes, strict=False)}
            return slopes

        return grad

    def _note(self, number: int, value: Any) -> None:
        """Note a container that a statement changed: only its own entries can be replaced."""
        self.see(number, value)

    def _handler(self, kind: type) -> Any:
        torch = sys.modules.get("torch")
        if issubclass(kind, np.ndarray):
            return self._array
        if torch is not None and issubclass(kind, getattr(torch, "Tensor", ())):
            return self._tensor
        return None

    # ── by type ──────────────────────────────────────────────────────────────

    @staticmethod
    def _truth(run: Run, number: int, value: Any) -> Any:
        truths = run.truths.setdefault(number, [])
        if len(truths) < MAX_TRUTHS:
            truths.append(bool(value))
        return value

    @staticmethod
    def _number(run: Run, _number: int, value: Any) -> Any:
        return type(value)(run.loss[1]) if run.loss and _is(float(value), run.loss[0]) else value

    def _array(self, run: Run, number: int, value: Any) -> Any:
        kind = value.dtype.kind
        if kind == "b":
            if value.size:
                self._truth(run, number, value.all())
            return value
        if kind != "f":
            if kind in "iu" and run.learning and value.ndim == 1:
                run.labels.append(np.array(value))
            return value
        if self.points is not None:
            self.points.look(number, value)
        if value.size == 1 and run.loss and _is(float(value.reshape(-1)[0]), run.loss[0]):
            return np.full_like(value, run.loss[1])
        new = self._replaced(run, number, value, is_tensor=False)
        if new is None:
            return value
        if new.shape == value.shape and value.flags.writeable:
            value[...] = new
            return value
        return new.astype(value.dtype)

    def _tensor(self, run: Run, number: int, value: Any) -> Any:
        torch = sys.modules["torch"]
        if value.dtype is torch.bool:
            if value.numel():
                self._truth(run, number, value.all())
            return value
        if not value.dtype.is_floating_point:
            if run.learning and value.dim() == 1:
                run.labels.append(value.detach().numpy().copy())
            return value
        if self.points is not None:
            self.points.look(number, value.detach().numpy())
        if run.learning and value.is_leaf and value.requires_grad and len(run.leaves) < MAX_LEAVES:
            run.leaves.setdefault(id(value), (value, set()))[1].add(number)
            if value.grad is not None and id(value) not in run.held:
                pair = (value.detach().numpy().copy(), value.grad.detach().numpy().copy())
                run.held[id(value)] = pair
        if value.numel() == 1 and run.loss and _is(float(value.detach()), run.loss[0]):
            return value + (run.loss[1] - float(value.detach()))  # keeps the graph
        new = self._replaced(run, number, value.detach().numpy(), is_tensor=True)
        if new is None:
            return value
        other = torch.from_numpy(np.ascontiguousarray(new)).to(value.dtype)
        if other.shape == value.shape:
            try:
                value.detach().copy_(other)
                return value
            except RuntimeError:  # an expanded view: several entries are one
                return other
        return other

    # ── looking out and replacing ────────────────────────────────────────────

    @staticmethod
    def _replaced(run: Run, number: int, array: Array, *, is_tensor: bool) -> Array | None:
        """Return what is to stand in the place of `array`, None when it stays."""
        shape, is_input = array.shape, False
        run.visits[number, shape] = run.visits.get((number, shape), 0) + 1
        for item in run.watched.get(shape, ()):
            if item.equals(array):
                is_input = is_input or item.role == "input"
                seen = (number, item.role, item.tensor)
                run.sightings[seen] = run.sightings.get(seen, 0) + 1
                sights = run.sights.setdefault((item.role, item.tensor), {})
                if number not in sights:
                    run.order += 1
                    through = _outermost(run.files) if run.files else NOWHERE
                    sights[number] = Sight(run.order, number, is_tensor, through)
        run.computes = run.computes or (array.size > 1 and not is_input)
        for was, value, always in run.swaps.get(number, ()):
            if was.array.shape == shape and (always or was.equals(array)):
                run.swapped.add(was.tensor)
                run.placed.add(f"{was.role} {was.tensor}")
                return value
        return None


def _door(name: str, reporter: Reporter) -> Callable[[frozenset[int] | None], None]:
    """Put a function before a reporter that passes on what the given places report (None: all).

    A run of a check comes by a few thousand places, and there are dozens of runs; so what is
    asked at each is one question only.
    """
    places: frozenset[int] | None = frozenset()

    def knock(number: int, value: Any) -> Any:
        return value if places is not None and number not in places else reporter(number, value)

    def open_at(numbers: frozenset[int] | None) -> None:
        nonlocal places
        places = numbers

    setattr(builtins, name, knock)
    return open_at


def _outermost(files: Container[str]) -> Place:
    """Return file and line of the first call on the stack that stands in one of the files."""
    frame, place = sys._getframe(1), NOWHERE
    while frame is not None:
        if frame.f_code.co_filename in files:
            place = (frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return place


def first(sights: Iterable[Sight]) -> Sight | None:
    """Return the sight that came first; None for none."""
    return min(sights, key=lambda s: s.order, default=None)


def _is(value: float, other: float) -> bool:
    return abs(value - other) <= SAME_NUMBER * max(1.0, abs(other))
