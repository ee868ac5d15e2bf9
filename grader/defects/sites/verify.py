"""Finders for verify: the comparison, or the answer that does not depend on one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.defects.clues import Clues
from grader.defects.sites.entries import returns
from grader.records import Defect
from grader.source.program import Function, Spot, bindings, in_order, last_name

STRICT = 1e-14
"""A tolerance below this asks for more than float64 holds."""

CLOSENESS = ("allclose", "isclose", "assert_allclose", "array_equal", "equal", "array_equiv")


def says_yes(clues: Clues, _defect: Defect) -> Spot | None:
    """Find the return of a constant, else the last return."""
    function = clues.program.contract("verify")
    if function is None:
        return None
    given = list(returns(function))
    plain = (r for r in given if isinstance(getattr(r, "value", None), ast.Constant))
    at = next(plain, given[0] if given else None)
    return function.spot(at or function.node)


def rejects(clues: Clues, defect: Defect) -> Spot | None:
    """Return a tolerance that nothing can meet; else the comparison; else where it says no.

    Where the comparison is known already, only such a tolerance is the better answer.
    """
    reached = clues.reached("verify")
    finders = (_tolerances, _exact, _comparisons, _refusals)
    for finder in finders[:1] if defect.line else finders:
        for function in reached:
            if (node := next(finder(function), None)) is not None:
                return function.spot(node)
    own = clues.program.contract("verify") if defect.line is None else None
    return own.spot(next(returns(own), own.node)) if own else None


def _inside(function: Function) -> list[ast.AST]:
    return in_order(n for n in ast.walk(function.node) if n is not function.node)


def _compared(function: Function) -> list[ast.expr]:
    """What comparisons of numbers, and functions that compare, are given."""
    found: list[ast.expr] = []
    for node in _inside(function):
        if isinstance(node, ast.Compare):
            found += [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and last_name(node.func) in CLOSENESS:
            found += [*node.args[2:], *(k.value for k in node.keywords)]
    return found


def _is_strict(node: ast.expr | None) -> bool:
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, float) and abs(value) < STRICT


def _tolerances(function: Function) -> Iterator[ast.AST]:
    """Assignments of no tolerance at all to what something is compared with."""
    compared = _compared(function)
    names = {n.id for c in compared for n in ast.walk(c) if isinstance(n, ast.Name)}
    for node in _inside(function):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for name, value in bindings([node]):
                if name in names and _is_strict(value):
                    yield node
    yield from (c for c in compared if _is_strict(c))


def _exact(function: Function) -> Iterator[ast.AST]:
    """Comparisons that ask for equality to the last bit."""
    for node in _inside(function):
        if isinstance(node, ast.Call) and last_name(node.func) in ("array_equal", "array_equiv"):
            yield node
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            sides = (node.left, *node.comparators)
            facts = any(last_name(s) in ("shape", "dtype", "__name__") for s in sides)
            if not facts and not any(isinstance(s, ast.Constant | ast.Call) for s in sides):
                yield node


def _comparisons(function: Function) -> Iterator[ast.AST]:
    """Comparisons of sizes, and functions that compare."""
    for node in _inside(function):
        called = isinstance(node, ast.Call) and last_name(node.func) in CLOSENESS
        sizes = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
        if called or (isinstance(node, ast.Compare) and isinstance(node.ops[0], sizes)):
            yield node


def _refusals(function: Function) -> Iterator[ast.AST]:
    for node in _inside(function):
        no = isinstance(node, ast.Return) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Assert) or (no and not node.value.value):  # type: ignore[attr-defined]
            yield node
