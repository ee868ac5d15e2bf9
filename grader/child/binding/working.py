"""Whether an object works, or only holds what it is given (child's side)."""

from __future__ import annotations

from typing import Any

from grader.child.binding.names import kinds


def works(value: Any) -> bool:
    """Whether it goes forwards or backwards: a layer or a network, whose biases are its own."""
    methods = {n for owner in type(value).__mro__ for n, v in vars(owner).items() if callable(v)}
    return "__call__" in methods or any({"forward", "backward"} & set(kinds(n)) for n in methods)
