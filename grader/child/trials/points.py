"""At which points near its inputs a submission takes its loss (child's side).

Every expression of the submission reports its value. An array that is one of the inputs with
a little added, where that input was seen before, or with one entry changed, is such a point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


FAR = 1.0
"""Inputs are of order one: what is further off is another array."""

FAR_IN_MANY = 0.05
"""Where all entries differ: the code of a layer sees X in one call, and H1 in the next."""

EXACT = 4 * float(np.finfo(np.float64).eps)
"""What stepping back may leave of a step."""

ALIKE = 1e-3
"""Relative: steps that differ by less are of one size, but for rounding."""

MAX_POINTS = 256
"""Kept of each tensor; the small inputs have 4 entries."""

MAX_SIZE = 4096


@dataclass(frozen=True, eq=False, slots=True)
class Form:
    """An input as it is, or as a side may hold it: turned, or with an axis of 1."""

    tensor: str
    array: Array
    turned: bool = False


def _forms(tensor: str, array: Array) -> list[Form]:
    if array.ndim == 2:
        return [Form(tensor, array), Form(tensor, array.T, turned=True)]
    return [Form(tensor, array), Form(tensor, array[None, :]), Form(tensor, array[:, None])]


class FormStack:
    """The forms of one shape, stacked in each dtype that a side works in."""

    def __init__(self) -> None:
        self.forms: list[Form] = []
        self.stacks: dict[np.dtype[Any], Array] = {}
        self.ends: dict[np.dtype[Any], tuple[set[float], set[float]]] = {}

    def _stack(self, dtype: np.dtype[Any]) -> Array:
        stack = self.stacks.get(dtype)
        if stack is None:
            stack = np.array([form.array for form in self.forms]).astype(dtype)
            self.stacks[dtype] = stack
            flat = stack.reshape(len(stack), stack[0].size)
            self.ends[dtype] = (set(flat[:, :1].flat), set(flat[:, -1:].flat))
        return stack

    def is_another(self, array: Array) -> bool:
        """Return whether the first and the last entry tell that more than one has changed."""
        if array.size < 2:
            return False
        self._stack(array.dtype)
        first, last = self.ends[array.dtype]
        return array.item(0) not in first and array.item(array.size - 1) not in last

    def changed(self, array: Array) -> list[int]:
        """Return how many entries of `array` are not those of each form."""
        stack = self._stack(array.dtype)
        differ = (stack != np.asarray(array)).reshape(len(stack), array.size)
        counts: list[int] = np.add.reduce(differ, axis=1, dtype=np.intp).tolist()
        return counts


class Points:
    """The points near one set of inputs by tensor, in the order of running.

    `strict`: only steps of single entries count, and such as were not taken back: what runs
    may train as well, which moves all entries a little.
    """

    def __init__(self, inputs: Mapping[str, Array], *, strict: bool = False) -> None:
        self.strict = strict
        self.known: dict[tuple[int, ...], FormStack] = {}
        self.places: dict[int, set[Form]] = {}
        self.by_tensor: dict[str, list[Array]] = {}
        for tensor, array in inputs.items():
            if array.size <= MAX_SIZE and array.dtype.kind == "f":
                for form in _forms(tensor, array.copy()):
                    self.known.setdefault(form.array.shape, FormStack()).forms.append(form)

    def look(self, place: int, array: Array) -> None:
        """Note `array` if it is an input, or one a step away.

        One entry may be changed anywhere, more where that input itself was seen before.
        """
        known = self.known.get(array.shape)
        if known is None or (place not in self.places and known.is_another(array)):
            return
        forms, changed = known.forms, known.changed(array)
        if 0 in changed:
            self.places.setdefault(place, set()).add(forms[changed.index(0)])
            return
        for form, count in zip(forms, changed, strict=True):
            if count == 1 or form in self.places.get(place, ()):
                self._add(form, array, forms, single=count == 1)

    def _add(self, form: Form, array: Array, forms: Sequence[Form], *, single: bool) -> None:
        base = form.array.astype(array.dtype)
        step = np.abs(array - base)
        others = (float(np.abs(array - f.array).max()) for f in forms if f is not form)
        near = FAR if single else min(FAR_IN_MANY, 0.5 * min(others, default=np.inf))
        if not step.max() <= near:
            return
        if not (step > EXACT * np.maximum(1.0, np.abs(base))).any():
            return
        if self.strict and not single and not self._is_left(form, step):
            return
        points = self.by_tensor.setdefault(form.tensor, [])
        point = array.T if form.turned else array
        if len(points) < MAX_POINTS and not (points and np.array_equal(points[-1], point)):
            points.append(np.array(point, copy=True, subok=False))

    def _is_left(self, form: Form, step: Array) -> bool:
        """Return whether several entries are off by the very step that was taken of single ones."""
        points = self.by_tensor.get(form.tensor)
        if not points:
            return False
        base = form.array.T if form.turned else form.array
        one = float(np.abs(points[0] - base).max())
        moved = step[step > ALIKE * one]
        return bool((np.abs(moved / one - 1.0) <= ALIKE).all())


def slopes(loss: Any, arguments: list[Array], step: float) -> list[Array]:
    """Return central differences of `loss(*arguments)` by each float argument; [] for others.

    O(2n) calls for n entries. Raises whatever `loss` does.
    """
    by_argument: list[Array] = []
    for position, array in enumerate(arguments):
        if array.dtype.kind != "f":
            by_argument.append(np.empty(0))
            continue
        slope = np.empty(array.shape)
        for index in np.ndindex(array.shape):
            ends = []
            for sign in (1.0, -1.0):
                moved = [a.copy() for a in arguments]
                moved[position][index] += sign * step
                ends.append((float(moved[position][index]), float(loss(*moved))))
            (above, high), (below, low) = ends
            slope[index] = (high - low) / (above - below)
        by_argument.append(slope)
    return by_argument
