"""What the statements of a script read, bind and change (child's side)."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from grader.child.binding import names
from grader.child.binding.names import WEIGHTS
from grader.source.trees import walk

DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
LOOP = (ast.For, ast.While)
SKIPPED = (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Return, ast.Pass, ast.Break)
QUIET = frozenset(("print", "display", "plt", "assert", "logging", "warnings", "sys"))
"""Names at the root of calls that change nothing that they are given."""

VIEWS = ("T", "reshape", "view", "ravel", "squeeze", "detach")
MOST, MOST_MAINS = 1000, 8
"""Statements of a block, and functions without arguments, that are looked at."""

STEPPING = ("step", "backward")
"""Methods that a loop calls which trains."""


@dataclass(frozen=True, eq=False)
class ScriptStatement:
    """One statement, with the variables that it reads, binds anew, and changes in part."""

    node: ast.stmt
    reads: frozenset[str]
    binds: frozenset[str]
    changes: frozenset[str]

    @property
    def touches(self) -> frozenset[str]:
        """Return what is another value afterwards."""
        return self.binds | self.changes


@dataclass(frozen=True, eq=False)
class Block:
    """Statements that run one after another, once each."""

    statements: Sequence[ast.stmt]
    functions: Mapping[str, frozenset[str]]
    """The names that each function of the module reads, and those that these read."""

    classes: frozenset[str] = frozenset()
    """The module's own."""

    @cached_property
    def steps(self) -> list[ScriptStatement]:
        """Return the statements; those that call an object's methods change the object."""
        plain = [step_of(s, self.functions) for s in self.statements]
        objects = frozenset[str]().union(*(s.binds for s in plain if s.reads & self.classes))
        return [_with_objects(s, objects) for s in plain]

    @cached_property
    def aliases(self) -> dict[str, set[str]]:
        """Return for each name those that may stand for the same numbers: `dZ2 = P`, `b = a.T`."""
        groups: dict[str, set[str]] = {}
        for step in self.steps:
            for target, value in pairs(step.node):
                if isinstance(target, ast.Name) and (other := _viewed(value)):
                    joined = groups.get(target.id, {target.id}) | groups.get(other, {other})
                    groups |= dict.fromkeys(joined, joined)
        return groups

    def changed(self, step: ScriptStatement) -> frozenset[str]:
        """Return what a statement touches, under all names that it may have."""
        more = (self.aliases.get(name, ()) for name in step.changes)
        return step.touches.union(*more)

    def slice(self, end: int, wanted: Iterable[str], given: frozenset[str]) -> list[int]:
        """Return the statements up to `end` that `wanted` depends on; `given` names are at hand."""
        needed, found = set(wanted) - given, list[int]()
        for index in range(end, -1, -1):
            step = self.steps[index]
            if self.changed(step) & needed:
                found.append(index)
                needed -= step.binds
                needed |= step.reads - given
        return found[::-1]

    def reads(self, indices: Iterable[int]) -> frozenset[str]:
        """Return all names that some statements read or change."""
        steps = [self.steps[i] for i in indices]
        return frozenset().union(*(s.reads | s.changes for s in steps))


def first_name(node: ast.AST) -> str:
    """Return the variable with which an expression begins; "" for none."""
    while not isinstance(node, ast.Name):
        inner = getattr(node, "value", getattr(node, "func", None))
        if not isinstance(inner, ast.AST):
            return ""
        node = inner
    return node.id


# ── one statement ────────────────────────────────────────────────────────────


def step_of(statement: ast.stmt, functions: Mapping[str, frozenset[str]]) -> ScriptStatement:
    """Return a statement with what it reads, binds and changes."""
    reads, stored = _names(statement)
    reads = reads.union(*(functions[n] for n in reads & set(functions)))
    changes = set(_changed(statement))
    if not isinstance(statement, (ast.Assign, ast.AnnAssign, *DEFINITION)):
        return ScriptStatement(statement, reads, frozenset(), frozenset(changes | stored))
    return ScriptStatement(statement, reads, frozenset(stored - changes), frozenset(changes))


def _with_objects(step: ScriptStatement, objects: frozenset[str]) -> ScriptStatement:
    """Return a statement that changes the objects whose methods it calls."""
    if not step.reads & objects:
        return step
    calls = (n for n in walk(step.node) if isinstance(n, ast.Call))
    called = {first_name(call.func) for call in calls} & objects - step.binds
    return replace(step, changes=step.changes | called)


def _names(node: ast.AST) -> tuple[frozenset[str], set[str]]:
    """Return the names that are loaded, and those that are stored outside of comprehensions."""
    inner = {
        n.id
        for c in walk(node) if isinstance(c, ast.comprehension)
        for n in walk(c.target) if isinstance(n, ast.Name)
    }  # fmt: skip
    every = [n for n in walk(node) if isinstance(n, ast.Name)]
    loaded = {n.id for n in every if isinstance(n.ctx, ast.Load)}
    stored = {n.id for n in every if isinstance(n.ctx, ast.Store)} - inner
    if isinstance(node, DEFINITION):
        return frozenset(loaded), {node.name}
    if isinstance(node, ast.AugAssign):
        loaded |= {first_name(node.target)}
    return frozenset(loaded), stored


def _changed(statement: ast.stmt) -> Iterator[str]:
    """Yield the variables of which a statement changes a part, or hands to who may change them."""
    for node in walk(statement):
        if isinstance(node, ast.For) and node is statement:
            inner = {n for s in node.body for n in _changed(s)}
            if inner & {n.id for n in walk(node.target) if isinstance(n, ast.Name)}:
                yield from (n.id for n in walk(node.iter) if isinstance(n, ast.Name))
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield first_name(node)
        elif isinstance(node, ast.AugAssign):
            yield first_name(node.target)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield from _handed(node.value)
        elif isinstance(node, ast.keyword) and node.arg == "out":
            yield first_name(node.value)


def _handed(call: ast.Call) -> Iterator[str]:
    if first_name(call.func) in QUIET:
        return
    for value in (call.func, *call.args):
        if not (isinstance(value, ast.Name) and value is call.func):
            yield first_name(value)


def pairs(statement: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what is assigned to what, the parts of tuples one by one."""
    if not isinstance(statement, ast.Assign):
        return
    for target in statement.targets:
        if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
            yield from zip(target.elts, statement.value.elts, strict=False)
        else:
            yield target, statement.value


def _viewed(value: ast.expr) -> str:
    """Return the variable whose numbers a value shares; "" for none."""
    while not isinstance(value, ast.Name):
        if isinstance(value, ast.Call):
            value = value.func
        part = isinstance(value, ast.Attribute) and value.attr in VIEWS
        if not part and not isinstance(value, ast.Subscript):
            return ""
        assert isinstance(value, ast.Attribute | ast.Subscript)
        value = value.value
    return value.id


# ── the blocks of a file ─────────────────────────────────────────────────────


def blocks(tree: ast.Module) -> Iterator[Block]:
    """Yield what may be the answer: module level, and functions that are given nothing.

    First without the loops that train, then with one pass of the first of them.
    """
    functions = _function_reads(tree)
    classes = frozenset(n.name for n in tree.body if isinstance(n, ast.ClassDef))
    mains = [n for n in tree.body if isinstance(n, ast.FunctionDef) and not _needs(n.args)]
    ahead = list(_flat(tree.body, once=False, into_main=False))
    plain = list(_flat(tree.body, once=False))
    for once in (False, True):
        level = list(_flat(tree.body, once=True)) if once else plain
        bodies = [
            [*_defaults(m), *_flat(m.body, once=once, inside=True)] for m in mains[:MOST_MAINS]
        ]
        found = [level, *([*ahead, *body] for body in bodies)]
        yield from (Block(f, functions, classes) for f in found if 0 < len(f) <= MOST)


def _needs(arguments: ast.arguments) -> bool:
    """Tell whether a function has to be given something."""
    every = [*arguments.posonlyargs, *arguments.args]
    return len(every) > len(arguments.defaults) or any(d is None for d in arguments.kw_defaults)


def _defaults(function: ast.FunctionDef) -> Iterator[ast.stmt]:
    """Yield assignments of what its parameters are when it is given nothing."""
    a = function.args
    plain = zip([*a.posonlyargs, *a.args], a.defaults, strict=True)
    for parameter, value in (*plain, *zip(a.kwonlyargs, a.kw_defaults, strict=True)):
        if value is not None:
            target = ast.copy_location(ast.Name(parameter.arg, ast.Store()), parameter)
            yield ast.copy_location(ast.Assign([target], value), parameter)


def _flat(
    body: Iterable[ast.stmt], *, once: bool, into_main: bool = True, inside: bool = False
) -> Iterator[ast.stmt]:
    """Yield the statements that run once each; of a loop that trains its body, or nothing."""
    for statement in body:
        if isinstance(statement, DEFINITION):
            if inside:
                yield statement
        elif isinstance(statement, ast.If) and _is_main(statement.test):
            if into_main:
                yield from _flat(statement.body, once=once, inside=inside)
        elif isinstance(statement, ast.Try):
            yield from _flat(statement.body, once=once, inside=inside)
        elif isinstance(statement, LOOP) and _trains(statement):
            if once:
                yield from _flat(statement.body, once=True, inside=inside)
                return
        elif not isinstance(statement, (*SKIPPED, ast.Assert)):
            yield statement


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and first_name(test.left) == "__name__"


def _trains(loop: ast.stmt) -> bool:
    """Tell whether a loop changes the weights, or has an optimiser or autograd do it."""
    counters = {*walk(loop.target)} if isinstance(loop, ast.For) else set()
    for node in walk(loop):
        stored = isinstance(getattr(node, "ctx", None), ast.Store) and node not in counters
        if stored and isinstance(node, ast.Name):
            trains = names.data_roles([node.id]).get(node.id) in WEIGHTS
        elif stored and isinstance(node, ast.Subscript):
            trains = _is_weight(node)
        else:
            func = node.func if isinstance(node, ast.Call) else None
            trains = isinstance(func, ast.Attribute) and func.attr in STEPPING
        if trains:
            return True
    return False


def _is_weight(node: ast.Subscript) -> bool:
    """Tell whether it is `params["W1"]`, or `params[name]`; a `P[i]` is none."""
    name = first_name(node)
    return len(name) > 1 and names.is_container(name)


def _function_reads(tree: ast.Module) -> dict[str, frozenset[str]]:
    """Return the module's functions and classes with the names that they read, transitively."""
    own = {}
    for node in tree.body:
        if isinstance(node, DEFINITION):
            bound = {a.arg for a in walk(node) if isinstance(a, ast.arg)}
            loaded, _ = _names(node)
            stored = {
                n.id for n in walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            own[node.name] = loaded - bound - stored
    grown = True
    while grown:
        more = {n: r.union(*(own[m] for m in r & set(own))) for n, r in own.items()}
        grown, own = more != own, more
    return own
