"""Which part of what came back is the loss, and which is whose gradient (child's side).

Arrival once, on a small case: by name first, then by shape (its sizes are distinct, so a shape
belongs to one tensor), then by the usual order. Later calls look in the same places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.child.binding import names
from grader.child.binding.language import places
from grader.child.binding.language.places import Place
from grader.child.binding.names import TENSORS, WEIGHTS

Array = np.ndarray[Any, Any]
NEAR = 0.3
"""Share of its size by which a stepped weight may have moved."""


@dataclass(frozen=True)
class Arrival:
    """An array or number that a call left: where, under which name, and what it is."""

    root: str  # "result" or "state"
    place: Place
    name: str
    value: Any


@dataclass(frozen=True)
class Location:
    """Where it is found again: in the result of a call, or in the state of the object."""

    root: str
    place: Place


def listed(result: Any, labels: Sequence[tuple[str, ...]], state: Any = None) -> list[Arrival]:
    """Return all numbers and arrays of a result, and of the state of the object that gave it."""
    found = []
    top: tuple[str, ...] = ()
    if isinstance(result, tuple | list):
        top = next((names_ for names_ in labels if len(names_) == len(result)), ())
    for place, value in places.walk(result, numbers=True):
        name = places.whole_name(place)
        if top and place:
            inner = places.whole_name(place[1:])
            name = inner if inner else top[place[0][1]]
        found.append(Arrival("result", place, name, value))
    if state is not None:
        for place, value in places.walk(state, numbers=True):
            found.append(Arrival("state", place, places.whole_name(place), value))
    return found


# ── the loss ─────────────────────────────────────────────────────────────────


def loss_in(found: Sequence[Arrival], batch: int) -> Location | None:
    """Return the loss: what is called so, else the first number of the result's own parts."""
    numbers = [f for f in found if places.is_number(f.value) and _is_real(f.value)]
    named = [f for f in numbers if names.is_loss(f.name)]
    named = [f for f in named if names.plain(f.name) in ("loss", "totalloss", "cost")] or named
    rows = [
        f for f in found
        if f.root == "result" and names.is_loss(f.name) and places.is_array(f.value)
        and places.shape(f.value) in ((batch,), (batch, 1), (1, batch))
    ]  # fmt: skip
    plain = [f for f in numbers if f.root == "result" and len(f.place) <= 1]
    plain = [f for f in plain if "acc" not in f.name.lower()]
    own = [f for f in named if f.root == "result"]
    for choice in (own, rows, plain, named):
        if choice:
            return Location(choice[0].root, choice[0].place)
    return None


def _is_real(value: Any) -> bool:
    return isinstance(value, float | np.floating) or (
        places.is_array(value) and "float" in str(value.dtype)
    )


# ── the gradients ────────────────────────────────────────────────────────────


def gradients_in(
    found: Sequence[Arrival], shapes: Mapping[str, tuple[int, ...]], given: Mapping[str, Any]
) -> dict[str, Location]:
    """Tensor → where its gradient stands. What merely equals an argument is none.

    `shapes` are those of the encoded tensors. State counts only under an explicit name.
    """
    arrays = [f for f in found if places.is_array(f.value) and not _is_given(f.value, given)]
    arrays += [f for f in found if not places.is_array(f.value) and names.gradient_of(f.name)[1]]
    spots: dict[str, Location] = {}
    zero = names.from_zero(f.name for f in arrays)
    for root in ("result", "state"):
        own = [f for f in arrays if f.root == root]
        for explicit in (True, False):
            if root == "state" and not explicit:
                break
            for entry in own:
                tensor, says = _named(entry, zero=zero)
                if tensor and says == explicit:
                    spots.setdefault(tensor, Location(root, entry.place))
    results = [f for f in arrays if f.root == "result"]
    _by_layer(arrays, spots)
    _by_shape(results, shapes, spots)
    _by_shape([f for f in arrays if f.root == "state" and _says_gradient(f)], shapes, spots)
    _by_order(results, spots)
    return spots


def _named(entry: Arrival, *, zero: bool) -> tuple[str, bool]:
    """By the innermost name, else by all names together."""
    inner = places.last_name(entry.place) or entry.name
    if len(entry.place) > 1 and names.layered(entry.name):
        return "", False
    tensor, says = names.gradient_of(inner, zero=zero)
    return (tensor, says) if tensor else names.gradient_of(entry.name, zero=zero)


def is_explicit(spot: Location) -> bool:
    """Tell whether the innermost name says that it is a gradient."""
    return names.gradient_of(places.last_name(spot.place))[1]


def weights_in(found: Sequence[Arrival], tensor: str) -> list[Location]:
    """Return the arrays of a result that are called as a weight is."""
    return [
        Location(f.root, f.place) for f in found
        if f.root == "result" and places.is_array(f.value)
        and names.gradient_of(places.last_name(f.place) or f.name) == (tensor, False)
    ]  # fmt: skip


def _says_gradient(entry: Arrival) -> bool:
    text = names.plain(entry.name)
    last = names.plain(places.last_name(entry.place))
    return "grad" in text or last.startswith(("d", "g", "delta", "nabla"))


def _is_given(value: Any, given: Mapping[str, Any]) -> bool:
    """Tell whether it is an argument, or one that was stepped: no gradient lies that near."""
    for other in given.values():
        if value is other:
            return True
        if type(value) is type(other) is np.ndarray and value.shape == other.shape:
            with np.errstate(all="ignore"):
                apart = np.abs(np.subtract(value, other, dtype=np.float64)).sum()
                if apart <= NEAR * np.abs(other, dtype=np.float64).sum():
                    return True
    return False


def _by_layer(found: Sequence[Arrival], spots: dict[str, Location]) -> None:
    """`grads['layer2']['W']`: the lower number is the first layer."""
    named = [f for f in found if f.root == "result" or _says_gradient(f)]
    layered = [(which, f) for f in named if (which := names.layered(f.name)) is not None]
    numbers = sorted({number for (number, _), _ in layered})
    if len(numbers) != 2:
        return
    for (number, kind), entry in layered:
        tensor = f"{kind}{numbers.index(number) + 1}"
        spots.setdefault(tensor, Location(entry.root, entry.place))


def _by_shape(
    found: Sequence[Arrival], shapes: Mapping[str, tuple[int, ...]], spots: dict[str, Location]
) -> None:
    taken = {(s.root, s.place) for s in spots.values()}
    for tensor in TENSORS:
        if tensor in spots or tensor not in shapes:
            continue
        want = shapes[tensor]
        fits = [
            f for f in found
            if (f.root, f.place) not in taken
            and (places.shape(f.value) == want if tensor == "X" else _alike(f.value, want))
        ]  # fmt: skip
        if tensor == "X":  # Xs abound (a copy of the input, a standardised one)
            near = {p.place[:end] for p in spots.values() for end in range(len(p.place))}
            fits = [f for f in fits if _says_gradient(f) or f.place[:-1] in near or _is_top(f)]
        if fits:
            spots[tensor] = Location(fits[-1].root, fits[-1].place)
            taken.add((fits[-1].root, fits[-1].place))


def _is_top(entry: Arrival) -> bool:
    """Tell whether it is the result itself, or a part of a returned tuple."""
    if entry.root != "result" or not entry.place:
        return entry.root == "result"
    return len(entry.place) == 1 and entry.place[0][0] == "index"


def _alike(value: Any, want: tuple[int, ...]) -> bool:
    """Return the same sizes, whatever their order and axes of one: only one tensor has them."""
    return sorted(n for n in places.shape(value) if n > 1) == sorted(n for n in want if n > 1)


def _by_order(found: Sequence[Arrival], spots: dict[str, Location]) -> None:
    """Four or five arrays in a row, some with a wrong shape: W1, b1, W2, b2 (, X)."""
    row = [f for f in found if len(f.place) == 1 and f.place[0][0] == "index"]
    if len(row) not in (4, 5) or not spots or len(set(WEIGHTS) & set(spots)) < 2:
        return
    order = TENSORS[: len(row)]
    for tensor, entry in zip(order, row, strict=True):
        holder = next((t for t, s in spots.items() if s == Location("result", entry.place)), None)
        if holder is not None and holder != tensor:
            return
    for tensor, entry in zip(order, row, strict=True):
        spots.setdefault(tensor, Location("result", entry.place))
