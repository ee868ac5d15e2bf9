"""Which of a stranger's arrays are the network's inputs (child's side).

A check that is handed no numbers works on those from which the submission's `forward` is
called most often in a row a step further; or on what a script holds under the names of the
inputs; or on the tensors that autograd is given.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import numpy as np

from grader.child.binding.canonical import ARGUMENTS
from grader.child.binding.language import places
from grader.child.binding.names import plain
from grader.child.trials.candidates import ANALYTIC

Array = np.ndarray[Any, Any]

ENTRIES = 2
"""Changed from one call to the next: an entry is put back, and another one is stepped."""

LITTLE = 0.05
"""Where all entries of an input differ: a random direction, and no other input."""

MOST = 24
"""Arrays of a script that are looked at: which is which is found by trying."""


# ── by shape and name ────────────────────────────────────────────────────────


def inputs_among(
    leaves: Sequence[Array], names: Sequence[str], labels: Sequence[Array]
) -> tuple[dict[str, int], Array | None] | None:
    """Return which leaf is which tensor, by shapes that fit, and the labels that go with them.

    X [B, D], W1 [D, H], b1 [H], W2 [H, C], b2 [C], weights and biases maybe the other way
    round (`nn.Linear`'s are). X need not be among them. `names` is how the source calls each
    leaf, where several ways fit. None where nothing fits.
    """
    ways = list(_ways(leaves))
    if not ways:
        return None

    def named(way: dict[str, int]) -> tuple[int, bool]:
        return sum(_is_called(tensor, names[i]) for tensor, i in way.items()), "X" in way

    way = max(ways, key=named)  # the first of equals
    if "X" not in way:
        return way, None
    return way, _labels(labels, leaves[way["X"]].shape[0], leaves[way["b2"]].size)


def _is_called(tensor: str, text: str) -> bool:
    """Return whether a word of the source begins or ends as the tensor: `W1t`, `t_X`, `"b2"`."""
    words = [word.replace("_", "").lower() for word in re.findall(r"[A-Za-z]\w*", text)]
    return any(word.startswith(tensor.lower()) or word.endswith(tensor.lower()) for word in words)


def _ways(leaves: Sequence[Array]) -> Iterator[dict[str, int]]:
    flat = [i for i, a in enumerate(leaves) if a.size == max(a.shape, default=0)]
    wide = [i for i, a in enumerate(leaves) if a.ndim == 2 and i not in flat]
    for turned in (False, True):
        for first, second in permutations(wide, 2):
            W1, W2 = (leaves[i].T if turned else leaves[i] for i in (first, second))
            if W1.shape[1] != W2.shape[0]:
                continue
            rest = [i for i in wide if i not in (first, second)]
            inputs = [i for i in rest if leaves[i].shape[1] == W1.shape[0]]
            for b1, b2 in permutations(flat, 2):
                if (leaves[b1].size, leaves[b2].size) != (W1.shape[1], W2.shape[1]):
                    continue
                way = {"W1": first, "b1": b1, "W2": second, "b2": b2}
                yield from ({**way, "X": X} for X in inputs) if inputs else (way,)


def _labels(arrays: Sequence[Array], rows: int, classes: int) -> Array | None:
    fitting = (a for a in arrays if a.shape == (rows,) and a.size and a.min() >= 0)
    return next((np.array(a) for a in fitting if a.max() < classes), None)


def inputs_in(script: Mapping[str, Any]) -> list[Array] | None:
    """Return the six inputs among a script's variables; None where they are not all there."""
    variables = {name: value for name, value in script.items() if not name.startswith("_")}
    arrays = [
        (" ".join(str(step) for _, step in place), a)
        for place, a in places.walk(variables)
        if isinstance(a, np.ndarray)
    ]
    arrays.sort(key=lambda entry: (_is_gradient(entry[0]), len(entry[0])))
    floats = [(n, a) for n, a in arrays if a.dtype.kind == "f" and 0 < a.ndim <= 2][:MOST]
    labels = [a for _, a in arrays if a.dtype.kind in "iu" and a.ndim == 1]
    match = inputs_among([a for _, a in floats], [n for n, _ in floats], labels)
    if match is None or match[1] is None:
        return None
    six = {tensor: floats[at][1] for tensor, at in match[0].items()} | {"y": match[1]}
    if set(six) != set(ARGUMENTS) or six["X"].shape[1] != six["W1"].shape[0]:
        return None
    return [np.array(six[name]) for name in ARGUMENTS]


def _is_gradient(words: str) -> bool:
    return any(ANALYTIC.search(plain(word)) for word in words.split())


# ── by the calls of `forward` ────────────────────────────────────────────────


def is_step(before: list[Array], after: list[Array]) -> bool:
    """Return whether differences are taken from one call to the next.

    Training is none: it moves all entries of all weights.
    """
    pairs = list(zip(before, after, strict=True))
    if any(a.shape != b.shape for a, b in pairs):
        return False
    off = [np.abs(a.astype(np.float64) - b) for a, b in pairs]
    moved = [o for o in off if o.any()]
    few = sum(int(np.count_nonzero(o)) for o in moved) <= ENTRIES
    return few or (len(moved) <= ENTRIES and all(o.max() <= LITTLE for o in moved))


@dataclass
class CallLog:
    """The numbers on which a function of the six inputs is called: `steps` calls in a row.

    `base` is what it was called with before those; the longest row counts.
    """

    base: list[Array] | None = None
    steps: int = 0
    _start: list[Array] = field(default_factory=list)
    _last: list[Array] = field(default_factory=list)
    _row: int = 0

    def listening(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        """Return `plain` with its calls noted."""

        @functools.wraps(plain)
        def forward(*arguments: Any, **named: Any) -> Any:
            six = [*arguments, *(named[n] for n in ARGUMENTS[len(arguments) :] if n in named)]
            if len(six) == len(ARGUMENTS) and all(map(places.is_array, six)):
                self.note([places.copied(a) for a in six])
            return plain(*arguments, **named)

        return forward

    def note(self, six: list[Array]) -> None:
        """Note one call."""
        same = bool(self._last) and all(map(np.array_equal, self._last, six))
        if same or (self._last and is_step(self._last, six)):
            self._row += not same
        else:
            self._start, self._row = six, 0
        self._last = six
        if self.base is None or self._row > self.steps:
            self.base, self.steps = self._start, self._row
