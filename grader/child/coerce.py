"""From whatever a candidate returns to arrays that can be sent (child's side)."""

from __future__ import annotations

import dataclasses
import decimal
import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

TENSORS = ("W1", "b1", "W2", "b2", "X")
MAX_CACHE_ARRAYS = 64
MAX_DEPTH = 5
MAX_NDIM = 4
PROBLEM_CHARS = 2000
NARROW = {np.dtype(t) for t in ("f8", "f4", "i8", "i4", "u1", "?")}
"""What can be sent as it is; a truth value among it is none of a loss's or a gradient's."""


class BadReturn(Exception):
    """What came back cannot be mapped to the contract; the text says what came."""


def as_array(value: Any, what: str) -> np.ndarray[Any, Any]:
    """Return `value` as a plain ndarray: from ndarray (and subclasses), number, list or tensor.

    Floats that cannot be sent become float64, integers int64; so do arrays of objects that are
    numbers, complex numbers without an imaginary part, and masked arrays without a masked entry.
    Raises `BadReturn` for None, truth values and whatever else is no number.
    """
    if value is None:
        raise BadReturn(f"{what} is None")
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        masked = isinstance(value, np.ma.MaskedArray) and bool(np.ma.getmaskarray(value).any())
        array = np.array(value, copy=True, subok=False)
    except (TypeError, ValueError) as error:
        raise BadReturn(f"{what} is no array: {error}") from error
    if masked:
        raise BadReturn(f"{what} has masked entries, which have no value")
    if array.ndim > MAX_NDIM:
        raise BadReturn(f"{what} has {array.ndim} axes")
    if array.dtype.kind in "fiu":
        return array if array.dtype in NARROW else array.astype(_sendable(array))
    return _numbers(array, what)


def _sendable(array: np.ndarray[Any, Any]) -> type[np.generic]:
    return np.float64 if array.dtype.kind == "f" else np.int64


def _numbers(array: np.ndarray[Any, Any], what: str) -> np.ndarray[Any, Any]:
    """Return an array of objects or complex numbers as float64, where each is a real number."""
    if array.dtype.kind == "O" and all(map(_is_real, array.flat)):
        with suppress(TypeError, ValueError, OverflowError):
            return array.astype(np.float64)
    if array.dtype.kind == "c" and not array.imag.any():
        return array.real.astype(np.float64)
    raise BadReturn(f"{what} has dtype {array.dtype}, not numbers")


def _is_real(value: Any) -> bool:
    return isinstance(value, numbers.Real | decimal.Decimal) and not isinstance(value, bool)


def plain_name(key: Any) -> str:
    """Return the tensor that a key of the gradients names: `dW1`, `grad_W1`, `W1.grad` → `W1`."""
    text = str(key).lower().replace(".grad", "").replace("grad", "").strip("_ ")
    stems = {t.lower(): t for t in TENSORS}
    for candidate in (text, text.removeprefix("d_"), text.removeprefix("d"), text.replace("_", "")):
        if candidate in stems:
            return stems[candidate]
    return ""


def gradients(value: Any) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, str]]:
    """Return the five gradients in a mapping, and why each other one is not there."""
    if value is None:
        raise BadReturn("it returned None")
    if not isinstance(value, Mapping):
        raise BadReturn(
            f"it returned {_describe(value)}; wanted is a mapping with the keys W1, b1, W2, b2, X"
        )
    named = {plain_name(key): item for key, item in value.items()}
    arrays, problems = {}, dict[str, str]()
    for tensor in TENSORS:
        if tensor not in named:
            problems[tensor] = "not returned"
            continue
        try:
            arrays[tensor] = as_array(named[tensor], f"the gradient of {tensor}")
        except BadReturn as error:
            problems[tensor] = str(error)[:PROBLEM_CHARS]
    if not arrays and problems:
        keys = ", ".join(repr(k) for k in list(value)[:8]) or "no keys"
        raise BadReturn(f"no gradient can be used: {keys}; wanted are W1, b1, W2, b2, X")
    return arrays, problems


def pair(value: Any, what: str) -> tuple[Any, Any]:
    """Return `value` as a pair; raises `BadReturn` saying what came instead."""
    if value is None:
        raise BadReturn(f"it returned None; wanted is ({what})")
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise BadReturn(f"it returned {_describe(value)}; wanted is ({what})")
    return value[0], value[1]


def verdict(value: Any) -> bool:
    """Return what `verify` says: the truth of its value.

    Of a mapping or sequence the booleans count, wherever they stand; errors and
    names beside them do not. No word at all, from a `verify` that asserts or
    prints and then just ends, is no objection, and neither are errors alone.
    """
    if isinstance(value, Mapping | tuple | list):
        return all(_booleans(value))
    if value is None or isinstance(value, float | np.floating):
        return True
    if isinstance(value, str):
        return bool(value)
    return bool(np.all(value.detach().numpy() if hasattr(value, "detach") else value))


def _booleans(value: Any) -> Iterator[bool]:
    """Yield every boolean inside nested containers, arrays of booleans included."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, tuple | list):
        for item in value:
            yield from _booleans(item)
    elif isinstance(value, bool | np.bool_):
        yield bool(value)
    elif getattr(value, "dtype", None) is not None and "bool" in str(value.dtype):
        yield bool(value.all())


def _describe(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, tuple | list):
        return f"a {kind} of {len(value)}"
    article = "an" if kind[:1] in "aeiou" else "a"
    return f"{article} {kind}"


def cache_arrays(
    cache: Any, works: Callable[[Any], bool] = lambda _: False, biases: Sequence[Any] = ()
) -> list[tuple[str, np.ndarray[Any, Any]]]:
    """Return (path, array) of every array reachable in a cache: containers, dataclasses, objects.

    What an object that `works` holds of the network's `biases`, under whatever name, is its
    own, and no part of the cache.
    """
    arrays: list[tuple[str, np.ndarray[Any, Any]]] = []
    for path, array, owned in _walk(cache, "cache", MAX_DEPTH, works):
        if owned and any(array.size == b.size and (array.ravel() == b).all() for b in biases):
            continue
        arrays.append((path, np.array(array, copy=True, subok=False)))
        if len(arrays) == MAX_CACHE_ARRAYS:
            break
    return [
        (path, array) for path, array in arrays if array.dtype in NARROW and array.ndim <= MAX_NDIM
    ]


def _walk(
    value: Any, path: str, depth: int, works: Callable[[Any], bool], *, owned: bool = False
) -> Iterator[tuple[str, Any, bool]]:
    """Yield (path, array, whether an object that works holds it)."""
    if isinstance(value, np.ndarray | np.generic):
        yield path, np.asanyarray(value), owned
    elif depth > 0 and not isinstance(value, str | bytes | type):
        parts = list(_parts(value))
        owned = owned or bool(parts and parts[0][0].startswith(".") and works(value))
        for step, item in parts:
            yield from _walk(item, path + step, depth - 1, works, owned=owned)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a container or an object holds, each with how it is reached."""
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, tuple | list):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
    elif dataclasses.is_dataclass(value):
        for entry in dataclasses.fields(value):
            yield f".{entry.name}", getattr(value, entry.name, None)
    else:
        slots = [name for kind in type(value).__mro__ for name in _slots(kind)]
        yield from ((f".{name}", getattr(value, name)) for name in slots if hasattr(value, name))
        yield from ((f".{name}", item) for name, item in getattr(value, "__dict__", {}).items())


def _slots(kind: type) -> tuple[str, ...]:
    """Return the attributes that a class declares without a dictionary."""
    slots = vars(kind).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in names if not name.startswith("__"))
