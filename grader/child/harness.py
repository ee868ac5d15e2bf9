"""Tells whether a submission has changed the code that runs beside it (child's side).

It runs in the same process, so this is no proof that nothing was changed; where something
was, a person is shown it.
"""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import Any

OURS = "grader."
MOST = 64
PASSING = ("__builtins__", "__warningregistry__", "__annotations__")
"""What Python itself sets in a module as it runs."""

Contents = dict[str, tuple[Any, Any]]
"""What is there by its dotted name, with the code of what is a function."""


def objects() -> Contents:
    """Return modules, classes, functions and constants of ours, by name."""
    found: Contents = {}
    for name, module in list(sys.modules.items()):
        if name.startswith(OURS) and isinstance(module, ModuleType):
            found[name] = (module, None)
            found |= _within(name, vars(module), deep=True)
    return found


def _within(name: str, members: Any, *, deep: bool) -> Contents:
    found: Contents = {}
    for key, value in list(members.items()):
        if key in PASSING or isinstance(value, ModuleType):
            continue
        found[f"{name}.{key}"] = (value, _code(value))
        if deep and isinstance(value, type) and value.__module__ == name:
            found |= _within(f"{name}.{key}", vars(value), deep=False)
    return found


def _code(value: Any) -> Any:
    return value.__code__ if type(value) is FunctionType else None


def changed(before: Contents) -> tuple[str, ...]:
    """Return the names of what is no longer the same."""
    now = objects()
    nothing = (None, None)
    differ = [
        name
        for name, (value, code) in before.items()
        if now.get(name, nothing)[0] is not value or now.get(name, nothing)[1] is not code
    ]
    return tuple(differ[:MOST])
