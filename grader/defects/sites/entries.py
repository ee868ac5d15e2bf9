"""Under which keys backward gives its gradients back, and what makes each of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.defects.clues import Clues
from grader.records import TENSORS
from grader.source.program import Function, Spot, in_order, last_name, pairs, target_name


@dataclass(frozen=True)
class GradientEntry:
    """A gradient under the key of its tensor; `display` is the mapping if it is written out."""

    key: str
    spot: Spot
    value: ast.expr
    function: Function
    display: Spot | None = None


def entries(clues: Clues, *names: str) -> Iterator[GradientEntry]:
    """Yield the entries of mappings from tensors to gradients, in the order of the source."""
    for function, node in clues.nodes(*names):
        if isinstance(node, ast.Dict):
            keyed = [
                (k.value, v)
                for k, v in zip(node.keys, node.values, strict=True)
                if isinstance(k, ast.Constant)
            ]
            yield from _shown(function, node, keyed)
        elif isinstance(node, ast.Call) and last_name(node.func) == "dict":
            yield from _shown(function, node, [(k.arg, k.value) for k in node.keywords])
            yield from _shown(function, node, list(_zipped(node)))
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _stored(function, node, target, node.value)


def _shown(
    function: Function, node: ast.expr, keyed: Sequence[tuple[object, ast.expr]]
) -> Iterator[GradientEntry]:
    known = [(name, value) for key, value in keyed if (name := tensor_of(key))]
    if len(known) >= 2:
        for name, value in known:
            yield GradientEntry(name, function.spot(value), value, function, function.spot(node))


def _zipped(call: ast.Call) -> Iterator[tuple[object, ast.expr]]:
    """The pairs of `dict(zip(names, values))` where both are written out."""
    inner = call.args[0] if call.args else None
    if isinstance(inner, ast.Call) and last_name(inner.func) == "zip" and len(inner.args) == 2:
        names, values = inner.args
        if isinstance(names, ast.Tuple | ast.List) and isinstance(values, ast.Tuple | ast.List):
            for key, value in zip(names.elts, values.elts, strict=False):
                if isinstance(key, ast.Constant):
                    yield key.value, value


def _stored(
    function: Function, node: ast.Assign, target: ast.expr, value: ast.expr
) -> Iterator[GradientEntry]:
    if isinstance(target, ast.Tuple):
        whole = isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts)
        parts = value.elts if isinstance(value, ast.Tuple) and whole else [value] * len(target.elts)
        for inner, part in zip(target.elts, parts, strict=True):
            yield from _stored(function, node, inner, part)
    elif name := tensor_of(_key(target)):
        yield GradientEntry(name, function.spot(node), value, function)


def _key(target: ast.expr) -> object:
    """The constant key of an entry that is stored, None for any other target."""
    index = target.slice if isinstance(target, ast.Subscript) else None
    return index.value if isinstance(index, ast.Constant) else None


def tensor_of(key: object) -> str:
    """Find the tensor that a key names: `W1`, `dW1` and `grad_W1` are one."""
    if not isinstance(key, str):
        return ""
    plain = key.removeprefix("grad_").removeprefix("d")
    return next((t for t in TENSORS if plain.lower() == t.lower()), "")


def returns(function: Function) -> Iterator[ast.stmt]:
    """Yield the return statements of a function, the last one first."""
    found = [n for n in in_order(ast.walk(function.node)) if isinstance(n, ast.Return)]
    yield from reversed(found)


def maker(clues: Clues, entry: GradientEntry) -> Spot | None:
    """Find the statement that makes an entry's value."""
    value = entry.value
    if isinstance(value, ast.Attribute):
        found = [
            f.spot(n)
            for f, n in clues.nodes("backward")
            if isinstance(n, ast.Assign) and any(last_name(t) == value.attr for t in n.targets)
        ]
        return found[-1] if found else entry.spot
    if not isinstance(value, ast.Name):
        return entry.spot
    made = [
        n
        for n in in_order(ast.walk(entry.function.node))
        if isinstance(n, ast.Assign | ast.AugAssign)
        and n.lineno <= entry.spot.line
        and value.id in _bound(n)
    ]
    return entry.function.spot(made[-1]) if made else entry.spot


def _bound(node: ast.Assign | ast.AugAssign) -> set[str]:
    if isinstance(node, ast.AugAssign):
        return {target_name(node.target)}
    return {name for target in node.targets for name, _ in pairs(target, None)}
