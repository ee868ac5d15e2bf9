"""Which attributes of an object are there for its backward (child's side).

A layer that is kept as the cache, or in it, has its weights on it as well. They are its own,
and not what a forward left for a backward: of such an object only that counts which its
backward reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from grader.observe.binding.names import kinds


def read_by_backward(value: Any) -> frozenset[str] | None:
    """The attributes that the object's backward mentions, itself or in a method that it calls.

    All where its backward is none of its methods; None for an object that does not go forwards
    either: a mere holder, which may be the cache itself.
    """
    methods = _methods(type(value))
    ahead = [name for name in methods if "backward" in kinds(name)]
    if not ahead:
        works = any(name == "__call__" or "forward" in kinds(name) for name in methods)
        return frozenset(dir(value)) if works else None
    mentioned: set[str] = set()
    done: set[str] = set()
    while ahead:
        name = ahead.pop()
        done.add(name)
        words = set(_names(methods[name].__code__))
        mentioned |= words
        ahead += [word for word in words & methods.keys() - done if word not in ahead]
    return frozenset(mentioned)


def _methods(kind: type) -> dict[str, FunctionType]:
    """By name, inherited ones too."""
    found: dict[str, FunctionType] = {}
    for owner in reversed(kind.__mro__):
        plain = {n: getattr(v, "__func__", v) for n, v in vars(owner).items()}
        found |= {n: v for n, v in plain.items() if isinstance(v, FunctionType)}
    return found


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function's code looks up, those of its lambdas and loops too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
