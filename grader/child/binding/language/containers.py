"""One argument that holds all weights, in whichever form a candidate's functions take it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from grader.child.binding import names
from grader.child.binding.language.layout import Layout
from grader.child.binding.names import WEIGHTS
from grader.child.binding.source import Callee, Class
from grader.source.trees import walk

TOOLS: Mapping[str, Any] = {"SimpleNamespace": SimpleNamespace}
"""What an adapter may call besides the submission's own."""


@dataclass(frozen=True)
class WeightForm:
    """An expression that makes the argument: `{"W1": W1, "b1": b1, "W2": W2, "b2": b2}`.

    `weights` are the places in it to which they are copied where the candidate's own
    initialisation makes it; that shows how they lie, too: `layout`.
    """

    text: str
    weights: Mapping[str, str] = field(default_factory=dict)
    layout: Layout | None = None


def containers(function: Callee, parameter: str) -> list[WeightForm]:
    """Return the forms in which a function's text uses `parameter` for all weights."""
    found: list[WeightForm] = []
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
    if roles := _with_biases(_complete(str(k) for k in keys if isinstance(k, str))):
        found.append(WeightForm(f"{{{', '.join(f'{n!r}: {r}' for n, r in roles.items())}}}"))
    if roles := _complete(attributes):
        found.append(_called("SimpleNamespace", roles))
    if {k for k in keys if isinstance(k, int)} >= {0, 1, 2, 3}:
        found.append(STANDARD[2])
    return found


STANDARD = (
    WeightForm("{'W1': W1, 'b1': b1, 'W2': W2, 'b2': b2}"),
    WeightForm("(W1, b1, W2, b2)"),
    WeightForm("[W1, b1, W2, b2]"),
)
"""The usual dictionary, tuple and list, for a parameter that is only handed on."""


def forms_of(functions: Iterable[Callee]) -> list[WeightForm]:
    """Return the forms in which any of some functions uses a parameter that holds the weights."""
    return [
        c for f in functions for n in f.names if names.is_container(n) for c in containers(f, n)
    ]


def fields_of(classes: Iterable[Class]) -> list[WeightForm]:
    """Return the classes that are nothing but fields for all weights."""
    found = []
    for kind in classes:
        annotated = getattr(kind.type, "__annotations__", {})
        roles = names.data_roles(vars(kind.type).get("_fields", annotated))
        roles = {n: r for n, r in roles.items() if r in WEIGHTS}
        plainly = set(kind.methods) <= {"__init__", "__eq__", "__repr__"}
        if set(roles.values()) == set(WEIGHTS) and plainly:
            found.append(_called(kind.name, roles))
    return found


def _called(name: str, roles: Mapping[str, str]) -> WeightForm:
    return WeightForm(f"{name}({', '.join(f'{n}={r}' for n, r in roles.items())})")


def _gets_key(node: ast.Call, parameter: str) -> bool:
    """`params.get("W1")`."""
    function = node.func
    called = isinstance(function, ast.Attribute) and function.attr == "get"
    own = isinstance(function, ast.Attribute) and _is(function.value, parameter)
    return called and own and bool(node.args) and isinstance(node.args[0], ast.Constant)


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _complete(found: Iterable[str]) -> dict[str, str]:
    """name → weight in the contract's order, when there are those of both weights at least."""
    known = names.data_roles(dict.fromkeys(found)).items()
    roles = {name: role for weight in WEIGHTS for name, role in known if role == weight}
    return roles if {"W1", "W2"} <= set(roles.values()) else {}


def _with_biases(roles: Mapping[str, str]) -> dict[str, str]:
    """Return the biases as well, where only weights are named: `p[f"b{i}"]` names nothing."""
    named = {role: name for name, role in roles.items()}
    pairs = (("W1", "b1"), ("W2", "b2"))
    beside = {
        "b" + named[weight][1:]: bias
        for weight, bias in pairs
        if weight in named and bias not in named
    }
    return {**roles, **beside}


def _unpacked(target: ast.expr) -> list[WeightForm]:
    """`W1, b1, W2, b2 = params` and `(W1, b1), (W2, b2) = params`, in whatever order."""
    if not isinstance(target, ast.Tuple | ast.List):
        return []
    roles = _complete(n.id for n in walk(target) if isinstance(n, ast.Name))
    return [WeightForm(_tuple(target, roles))] if roles else []


def _tuple(target: ast.expr, roles: Mapping[str, str]) -> str:
    if isinstance(target, ast.Tuple | ast.List):
        return f"({' '.join(f'{_tuple(part, roles)},' for part in target.elts)})"
    return roles.get(target.id, "None") if isinstance(target, ast.Name) else "None"
