"""One argument that holds all weights, in whichever form a candidate's functions take it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from grader.child.binding import names, places
from grader.child.binding.names import WEIGHTS
from grader.child.binding.source import Function
from grader.source.trees import walk


@dataclass(frozen=True)
class Container:
    """One argument that holds all weights: a dictionary under the candidate's keys, a tuple, …

    `template` is such an object, `at` says where in it each weight stands.
    """

    template: Any
    at: Mapping[str, places.Place]

    def holding(self, weights: Mapping[str, Any]) -> Any:
        """A container of its own with these weights in it."""
        whole = self.template
        for name, place in self.at.items():
            whole = places.replaced(whole, place, weights[name])
        return whole


def containers(function: Function, parameter: str) -> list[Container]:
    """The forms in which a function's own text uses `parameter` as what holds all weights."""
    found: list[Container] = []
    keys: list[Any] = []
    attributes: list[str] = []
    for node in walk(function.node) if function.node else ():
        if isinstance(node, ast.Subscript) and _is(node.value, parameter):
            if isinstance(node.slice, ast.Constant):
                keys.append(node.slice.value)
        elif isinstance(node, ast.Attribute) and _is(node.value, parameter):
            attributes.append(node.attr)
        elif isinstance(node, ast.Assign) and _is(node.value, parameter):
            found += _unpacked(node.targets[0])
        elif isinstance(node, ast.Call) and _gets_key(node, parameter):
            keys.append(node.args[0].value)  # type: ignore[attr-defined]
    texts = [str(k) for k in keys if isinstance(k, str)]
    if roles := _complete(texts):
        found.append(Container(dict.fromkeys(roles), {r: (("key", n),) for n, r in roles.items()}))
    if roles := _complete(attributes):
        space = SimpleNamespace(**dict.fromkeys(roles))
        found.append(Container(space, {r: (("attribute", n),) for n, r in roles.items()}))
    if {k for k in keys if isinstance(k, int)} >= {0, 1, 2, 3}:
        at: dict[str, places.Place] = {n: (("index", i),) for i, n in enumerate(WEIGHTS)}
        found.append(Container([None] * 4, at))
    return found


def standard_containers() -> list[Container]:
    """The usual dictionary, tuple and list, for a parameter that is only handed on."""
    keyed: dict[str, places.Place] = {n: (("key", n),) for n in WEIGHTS}
    placed: dict[str, places.Place] = {n: (("index", i),) for i, n in enumerate(WEIGHTS)}
    return [
        Container(dict.fromkeys(WEIGHTS), keyed),
        Container((None,) * 4, placed),
        Container([None] * 4, placed),
    ]


def _gets_key(node: ast.Call, parameter: str) -> bool:
    """`params.get("W1")`."""
    function = node.func
    called = isinstance(function, ast.Attribute) and function.attr == "get"
    own = isinstance(function, ast.Attribute) and _is(function.value, parameter)
    return called and own and bool(node.args) and isinstance(node.args[0], ast.Constant)


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _complete(found: list[str]) -> dict[str, str]:
    """name → weight, when the names are those of both weights at least."""
    roles = {n: r for n, r in names.data_roles(dict.fromkeys(found)).items() if r in WEIGHTS}
    return roles if {"W1", "W2"} <= set(roles.values()) else {}


def _unpacked(target: ast.expr) -> list[Container]:
    """`W1, b1, W2, b2 = params` and `(W1, b1), (W2, b2) = params`, in whatever order."""
    if not isinstance(target, ast.Tuple | ast.List):
        return []
    at: dict[str, tuple[int, ...]] = {}
    for number, part in enumerate(target.elts):
        inner = part.elts if isinstance(part, ast.Tuple | ast.List) else []
        for second, leaf in enumerate(inner):
            if isinstance(leaf, ast.Name):
                at[leaf.id] = (number, second)
        if isinstance(part, ast.Name):
            at[part.id] = (number,)
    roles = _complete(list(at))
    if not roles:
        return []
    template: tuple[Any, ...] = tuple(
        (None,) * len(p.elts) if isinstance(p, ast.Tuple | ast.List) else None for p in target.elts
    )
    return [Container(template, {r: tuple(("index", i) for i in at[n]) for n, r in roles.items()})]
