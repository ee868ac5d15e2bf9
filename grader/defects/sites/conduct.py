"""Finders for calls that leave something behind: in arguments, in the cache, in globals."""

from __future__ import annotations

import ast

from grader.defects.clues import Clues
from grader.defects.sites.entries import returns
from grader.records import Defect
from grader.source.program import Function, Spot, first_name, in_order
from grader.source.writes import Follower, Write, dotted

ARGUMENTS = ("X", "y", "W1", "b1", "W2", "b2")


def writes_argument(clues: Clues, defect: Defect) -> Spot | None:
    """Find the statement that changes an argument of forward."""
    function = clues.program.contract("forward")
    if function is None:
        return None
    held = dict(zip(function.parameters, ARGUMENTS, strict=False))
    found = Follower(clues.program).writes(function, held)
    changed = set(defect.tensors) or set(held.values())
    return next((w.spot for w in found if w.root in changed), None)


def writes_cache(clues: Clues, _defect: Defect) -> Spot | None:
    """Find the statement of backward that changes what the cache holds; new entries count last."""
    found = _cache_writes(clues)
    ranked = sorted(found, key=lambda w: w.stored)
    return ranked[0].spot if ranked else None


def _cache_writes(clues: Clues) -> list[Write]:
    function = clues.program.contract("backward")
    if function is None:
        return []
    return Follower(clues.program).writes(function, dict.fromkeys(function.parameters[:1], "cache"))


def accumulates(clues: Clues, _defect: Defect) -> Spot | None:
    """Find the statement of backward that adds to what lives on after the call."""
    keeps = _keeps_adding(clues)
    if keeps is not None:
        return keeps
    return next((w.spot for w in _cache_writes(clues)), None)


def _keeps_adding(clues: Clues) -> Spot | None:
    stored = written = None
    for function in clues.reached("backward"):
        kept = _kept_names(clues, function)
        for node in in_order(ast.walk(function.node)):
            if isinstance(node, ast.AugAssign) and _lives_on(node.target, kept):
                return function.spot(node)
            if isinstance(node, ast.Assign) and stored is None:
                again = {dotted(n) for n in ast.walk(node.value) if isinstance(n, ast.expr)}
                targets = [t for t in node.targets if _lives_on(t, kept)]
                if (again - {""}) & {dotted(_whole(t)) for t in targets}:
                    stored = function.spot(node)
            if written is None and _stores(node, kept):
                written = function.spot(node)
    return stored or written


def _whole(target: ast.expr) -> ast.expr:
    return target.value if isinstance(target, ast.Subscript) else target


def _lives_on(target: ast.expr, kept: set[str]) -> bool:
    """Whether a target is, or is a part of, something that a later call meets again."""
    first = first_name(target)
    return first in kept or (isinstance(target, ast.Attribute | ast.Subscript) and first == "self")


def _kept_names(clues: Clues, function: Function) -> set[str]:
    """Names within a function that mean module-level objects, or defaults that stay."""
    local = {
        n.id
        for n in ast.walk(function.node)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    declared = {n for g in ast.walk(function.node) if isinstance(g, ast.Global) for n in g.names}
    a = function.node.args
    own = {p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)}
    defaults = a.args[len(a.args) - len(a.defaults) :]
    staying = {
        p.arg
        for p, d in zip(defaults, a.defaults, strict=False)
        if isinstance(d, ast.Dict | ast.List | ast.Call)
    }
    return (set(clues.program.outliving) - (local - declared) - own) | staying


def ignores_cache(clues: Clues, _defect: Defect) -> Spot | None:
    """Find where backward first reads what is no part of its cache."""
    own = clues.program.contract("backward")
    for function in clues.reached("backward"):
        kept = _kept_names(clues, function)
        for node in in_order(ast.walk(function.node)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in kept:
                return function.spot(node)
    for function, node in clues.nodes("backward"):
        loaded = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
        if loaded and first_name(node) == "self":
            return function.spot(node)
    return own.spot(next(returns(own), own.node)) if own else None


RANDOM = frozenset(
    (
        *("random", "rand", "randn", "normal", "uniform", "randint", "choice", "permutation"),
        *("shuffle", "default_rng", "standard_normal", "bernoulli", "binomial", "dropout"),
        *("time", "perf_counter", "time_ns", "urandom", "uuid4", "token_bytes", "gauss"),
    )
)


def unsteady(clues: Clues, _defect: Defect) -> Spot | None:
    """Find where forward asks chance, a clock, or something that changes from call to call."""
    for function, node in clues.nodes("forward"):
        if isinstance(node, ast.Call) and _asks_chance(node.func):
            return function.spot(node)
    for function in clues.reached("forward"):
        kept = _kept_names(clues, function)
        for node in in_order(ast.walk(function.node)):
            method = node.func if isinstance(node, ast.Call) else None
            own = isinstance(method, ast.Attribute) and first_name(method) in kept
            if own or _stores(node, kept):
                return function.spot(node)
    return None


def _asks_chance(func: ast.expr) -> bool:
    names = {n.attr for n in ast.walk(func) if isinstance(n, ast.Attribute)}
    names |= {n.id for n in ast.walk(func) if isinstance(n, ast.Name)}
    return bool(names & RANDOM) or any("rng" in n.lower() for n in names)


def _stores(node: ast.AST, kept: set[str]) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AugAssign):
        targets = [node.target]
    return any(first_name(t) in kept for t in targets)
