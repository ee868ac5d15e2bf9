"""Where an array stands inside an object, a dictionary or a list; to find it, and to put another.

A place is a path of steps: an attribute, a key, an index. It is found once, on a small case
whose sizes tell every tensor from every other, and used at all sizes from then on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from grader.child.standin import InertModule

Place = tuple[tuple[str, Any], ...]
"""Steps (`attribute`, name), (`key`, key) or (`index`, number) from the outermost inwards."""

Entry = tuple[Place, Any]

MAX_DEPTH = 6
MAX_ITEMS = 4000


def torch_here() -> ModuleType | None:
    """torch, if it is loaded and no stand-in."""
    torch = sys.modules.get("torch")
    return None if isinstance(torch, InertModule) else torch


def is_tensor(value: Any) -> bool:
    """Tell whether `value` is a torch tensor; False where there is no torch."""
    if type(value).__module__.partition(".")[0] != "torch" or torch_here() is None:
        return False
    return isinstance(value, sys.modules["torch"].Tensor)


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or is_tensor(value)


def is_number(value: Any) -> bool:
    """Return a real number, or an array or tensor of one."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float | np.floating | np.integer):
        return True
    return is_array(value) and _size(value) == 1


def _size(value: Any) -> int:
    return int(value.numel()) if is_tensor(value) else int(value.size)


def shape(value: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in np.shape(value)) if not is_tensor(value) else tuple(value.shape)


def copied(value: Any) -> np.ndarray[Any, Any]:
    """Return an array of its own with the numbers of an array or tensor."""
    return np.array(value.detach().cpu().numpy() if is_tensor(value) else value)


def walk(
    value: Any, *, depth: int = MAX_DEPTH, numbers: bool = False
) -> Iterator[tuple[Place, Any]]:
    """(place, array) of all arrays and tensors that can be reached; with `numbers`, those too."""
    seen: set[int] = set()
    left = [MAX_ITEMS]

    def visit(item: Any, place: Place, depth: int) -> Iterator[tuple[Place, Any]]:
        left[0] -= 1
        if left[0] < 0:
            return
        if is_array(item) or (numbers and is_number(item)):
            yield place, item
            return
        if depth == 0 or id(item) in seen:
            return
        seen.add(id(item))
        for step, inner in _parts(item):
            yield from visit(inner, (*place, step), depth - 1)

    yield from visit(value, (), depth)


def _parts(value: Any) -> Iterator[tuple[tuple[str, Any], Any]]:
    if isinstance(value, str | bytes | type | ModuleType | FunctionType | MethodType):
        return
    if isinstance(value, Mapping):
        for key, item in list(value.items()):
            yield ("key", key), item
        return
    if isinstance(value, tuple | list):
        for number, item in enumerate(value):
            yield ("index", number), item
        return
    for name in _slots(value):
        if hasattr(value, name):
            yield ("attribute", name), getattr(value, name)
    for name, item in list(getattr(value, "__dict__", {}).items()):
        yield ("attribute", name), item


def _slots(value: Any) -> tuple[str, ...]:
    slots = getattr(type(value), "__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def aliases(value: Any, at: Mapping[str, Place]) -> dict[str, tuple[Place, ...]]:
    """For each place the others at which the very same array stands."""
    every = list(walk(value))
    return {
        name: tuple(p for p, array in every if array is get(value, place) and p != place)
        for name, place in at.items()
    }


def get(value: Any, place: Place) -> Any:
    """Return what stands at `place`; raises `LookupError` or `AttributeError` when nothing does."""
    for kind, key in place:
        value = getattr(value, key) if kind == "attribute" else value[key]
    return value


def put(value: Any, place: Place, item: Any) -> None:
    """Put `item` at `place`: the array there is replaced, a torch parameter gets its data."""
    holder, (kind, key) = get(value, place[:-1]), place[-1]
    if isinstance(holder, tuple):
        put(value, place[:-1], replaced(holder, key, item))
        return
    try:
        before = get(holder, place[-1:])
    except (AttributeError, LookupError):
        before = None
    if is_tensor(before):
        import torch

        before.grad = None
        before.data = torch.as_tensor(copied(item))
    elif kind == "attribute":
        setattr(holder, key, item)
    else:
        holder[key] = item


def replaced(value: tuple[Any, ...], number: int, item: Any) -> tuple[Any, ...]:
    """Return a copy of a tuple with `item` in place of one part."""
    parts = [*value[:number], item, *value[number + 1 :]]
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)


def text(place: Place, root: str, keys: dict[str, Any] | None = None) -> str:
    """`self.params['W1']`, `net.layers[0].W`: a place as the candidate would write it.

    A key that cannot be written down gets a name in `keys`.
    """
    words, inner = root, False
    for kind, key in place:
        if kind == "attribute" and key in ("_parameters", "_modules"):
            inner = True  # torch keeps there what it shows as attributes
            continue
        if kind == "attribute" or (inner and key.isidentifier()):
            words += f".{key}"
        elif inner:
            words += f"[{key}]"
        elif isinstance(key, str | int | float | None) or keys is None:
            words += f"[{key!r}]"
        else:
            name = f"key{len(keys)}"
            keys[name] = key
            words += f"[{name}]"
        inner = False
    return words


def last_name(place: Place) -> str:
    """Return the innermost name on the way, "" for none."""
    return next((str(key) for kind, key in reversed(place) if isinstance(key, str)), "")


def whole_name(place: Place) -> str:
    """Return all names on the way joined: `layer1W`, `fc1weight`, `0W`."""
    skipped = ("_parameters", "_modules", "grads", "gradients", "params", "layers")
    return "_".join(str(key) for _, key in place if key not in skipped)
