"""Which array on a layer is its weight, its bias, or the gradient of one (child's side).

By the names on the way to it, as people name them: `W`, `self.params["b"]`, `self.W.data`,
`self.grad_weight`, `self.W.grad`. In a list, `self.params = [W, b]`, by its shape.
"""

from __future__ import annotations

from typing import Any

from grader.child.binding.language import places
from grader.child.binding.names import plain

WEIGHT, BIAS = ("w", "weight", "weights", "kernel"), ("b", "bias", "biases")
LISTS = ("params", "parameters", "weights")
WRAPPED = (["data"], ["value"], ["val"], ["array"], ["arr"])
"""Under which a parameter that is an object of its own has its numbers."""


def weight_at(place: places.Place, value: Any) -> str:
    """ "W" or "b" for what a layer multiplies by or adds; "" for anything else."""
    if any("grad" in word for word in _says(place)):
        return ""
    return _parameter(place[:-1] if _says(place[-1:])[:1] in WRAPPED else place, value)


def gradient_at(place: places.Place, value: Any) -> str:
    """ "W" or "b" for what a backward leaves of its gradient; "" for anything else."""
    says = _says(place)
    if not says:
        return ""
    if place[-1][0] == "index" and "grad" in says[-1]:
        return _by_shape(value)
    last = says[-1].removesuffix("gradient").removesuffix("grad")
    if not last:
        return _parameter(place[:-1], value)
    if last == says[-1]:
        for start in ("gradient", "grad", "d"):
            if last.startswith(start) and last != start:
                return _which(last.removeprefix(start))
        return _which(last) if any("grad" in word for word in says[:-1]) else ""
    return _which(last)


def _parameter(place: places.Place, value: Any) -> str:
    """By the name of what holds it, or in a list by the shape."""
    says = _says(place)
    if not says:
        return ""
    if says[-1] in LISTS and place[-1][0] == "index":
        return _by_shape(value)
    return _which(says[-1])


def _says(place: places.Place) -> list[str]:
    return [plain(key) for _, key in place if isinstance(key, str)]


def _which(word: str) -> str:
    return "W" if word in WEIGHT else "b" if word in BIAS else ""


def _by_shape(value: Any) -> str:
    shape = places.shape(value)
    return "W" if len(shape) == 2 and min(shape) > 1 else "b"
