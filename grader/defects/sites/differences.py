"""Finders for the finite-difference check: its quotient, its step, its verdict."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.checks.differences import stepped
from grader.defects.clues import Clues
from grader.defects.sites.entries import returns
from grader.records import Defect
from grader.source.program import Function, Spot, in_order

NEAR = 0.01
"""Relative: a constant in the source that is so near to the step seen is where it is chosen."""


def quotient(clues: Clues, _defect: Defect) -> Spot | None:
    """Find the division of the difference by the step."""
    for function in _own(clues):
        for node in in_order(ast.walk(function.node)):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _differs(node.left):
                return function.spot(node)
    for function in _own(clues):
        for node in in_order(ast.walk(function.node)):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                return function.spot(node)
    return None


def step(clues: Clues, defect: Defect) -> Spot | None:
    """Find the constant that is the step, else the quotient."""
    sizes = [s.step for s in stepped(clues.view) if s.tensor in defect.tensors]
    for function in _own(clues):
        for node in _constants(function.node):
            if _is_one_of(node, sizes):
                return function.spot(node)
    for path, tree in clues.program.trees.items():
        for node in _constants(tree):
            if _is_one_of(node, sizes):
                line: int = getattr(node, "lineno", 1)
                return Spot(path, line, getattr(node, "end_lineno", None) or line)
    return quotient(clues, defect)


def verdict(clues: Clues, _defect: Defect) -> Spot | None:
    """Find the last thing that the check gives back."""
    function = next(iter(_own(clues)), None)
    return None if function is None else function.spot(next(returns(function), function.node))


def _own(clues: Clues) -> list[Function]:
    """The check, and what it calls but for the network."""
    return clues.reached(clues.view.differences.name)


def _differs(node: ast.expr) -> bool:
    return any(isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub) for n in ast.walk(node))


def _constants(tree: ast.AST) -> Iterator[ast.AST]:
    return (n for n in in_order(ast.walk(tree)) if isinstance(n, ast.Constant | ast.BinOp))


def _is_one_of(node: ast.AST, sizes: list[float]) -> bool:
    value = _value(node)
    return value is not None and any(abs(value - size) <= NEAR * size for size in sizes)


def _value(node: ast.AST) -> float | None:
    """The number that a constant is, or a power of one: `1e-5`, `10 ** -5`."""
    if isinstance(node, ast.Constant):
        plain = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        return float(node.value) if plain else None  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _value(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        base, power = _value(node.left), _value(node.right)
        if base is not None and power is not None and 0 < base <= 10 and abs(power) <= 20:
            return float(base**power)
    return None
