"""What a statement of Python gives, by name and place; and shapes that are written as code."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.source.program import Span, span, text_of


@dataclass(frozen=True, slots=True)
class Referent:
    """What a shape is said of: a name, and the expression that gives it, where it is known."""

    name: str
    span: Span | None = None


def name_of(node: ast.expr) -> str:
    """Return `Z1` of `self.Z1`, `cache["Z1"]` and `Z1[rows]`, "" for none."""
    for _ in range(4):
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute):
            return node.attr
        if not isinstance(node, ast.Subscript):
            return ""
        key = text_of(node.slice)
        if key is not None:
            return key
        node = node.value
    return ""


def subjects_of(node: ast.stmt) -> list[Referent]:
    """Return what a statement assigns or returns, with the place of its value."""
    match node:
        case ast.Assign(targets=targets, value=value):
            place = span(node if changes_part(node) else value)
            return [Referent(name_of(t), place) for t in targets if name_of(t)]
        case ast.AugAssign(target=target):
            return [Referent(name_of(target), span(node))]
        case ast.AnnAssign(target=target, value=given):
            return [Referent(name_of(target), span(given) if given else None)]
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Tuple | ast.Dict):
            return [Referent(name_of(value), span(value))]
    return []


def changes_part(node: ast.stmt) -> bool:
    """Return whether a statement changes entries of an array: a shape may mean those alone."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets = [node.target] if isinstance(node, ast.AugAssign) else targets
    return any(isinstance(t, ast.Subscript) and text_of(t.slice) is None for t in targets)


def entries_of(node: ast.expr) -> Iterator[tuple[int, Referent]]:
    """Yield (last line, subject) of the entries of a display or a call."""
    match node:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if (name := text_of(key)) is not None:
                    yield value.end_lineno or 0, Referent(name, span(value))
        case ast.Call(args=items, keywords=keywords):
            for word in keywords:
                if word.arg:
                    yield word.value.end_lineno or 0, Referent(word.arg, span(word.value))
            yield from _names_in(items)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            yield from _names_in(items)


def _names_in(items: Sequence[ast.expr]) -> Iterator[tuple[int, Referent]]:
    for item in items:
        if isinstance(item, ast.Name | ast.Attribute):
            yield item.end_lineno or 0, Referent(name_of(item), span(item))


# ── shapes in code ───────────────────────────────────────────────────────────


def _shape_owner(node: ast.expr) -> str:
    """`X` of `X.shape` and `np.shape(X)`, "" for anything else."""
    if isinstance(node, ast.Attribute) and node.attr == "shape":
        return name_of(node.value)
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        called = name_of(node.func)
        if called == "shape":
            return name_of(node.args[0])
        return _shape_owner(node.args[0]) if called in ("tuple", "list") else ""
    return ""


def _axis(node: ast.expr) -> tuple[str, int] | None:
    """("X", 0) of `X.shape[0]` and `len(X)`."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        owner, at = _shape_owner(node.value), node.slice.value
        return (owner, at) if owner and type(at) is int and 0 <= at < 4 else None
    if isinstance(node, ast.Call) and name_of(node.func) == "len" and len(node.args) == 1:
        return (name_of(node.args[0]), 0) if name_of(node.args[0]) else None
    return None


def letters_of(node: ast.Assign) -> Iterator[tuple[str, str, int]]:
    """Yield (letter, tensor, axis) of `N, D = X.shape` and `N = X.shape[0]`."""
    target, owner, axis = node.targets[0], _shape_owner(node.value), _axis(node.value)
    if isinstance(target, ast.Name) and axis:
        yield target.id, *axis
    if isinstance(target, ast.Tuple) and owner:
        for at, item in enumerate(target.elts[:4]):
            if isinstance(item, ast.Name):
                yield item.id, owner, at
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        for item, value in zip(target.elts[:8], node.value.elts[:8], strict=False):
            if isinstance(item, ast.Name) and (found := _axis(value)):
                yield item.id, *found


def asserted_in(test: ast.expr) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (name, shape) of `Z1.shape == (B, H)` and `dW1.shape == W1.shape`, also after `and`."""
    for node in test.values if isinstance(test, ast.BoolOp) else [test]:
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq):
            continue
        left, right = node.left, node.comparators[0]
        for one, other in ((left, right), (right, left)):
            name, shape = _shape_owner(one), _stated_in_code(other)
            if name and shape is not None:
                yield name, shape
                break


def _stated_in_code(node: ast.expr) -> tuple[str, ...] | None:
    if owner := _shape_owner(node):
        return (f"{owner}.shape",)
    if not isinstance(node, ast.Tuple):
        return None
    tokens = []
    for item in node.elts:
        if isinstance(item, ast.Name):
            tokens.append(item.id)
        elif isinstance(item, ast.Constant) and type(item.value) is int:
            tokens.append(str(item.value))
        elif axis := _axis(item):
            tokens.append(f"{axis[0]}.shape[{axis[1]}]")
        else:
            return None
    return tuple(tokens)
