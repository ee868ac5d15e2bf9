"""A submission's source as trees: its functions, what they call, what outlives a call.

The source is a stranger's: it is parsed, never executed, and what Python's parser
cannot take within its limits is passed over. All walks are loops, so nesting costs no stack.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from grader.limits import SOURCE_BYTES
from grader.records import Submission
from grader.source.extent import sources_of
from grader.source.parsing import parsed

MAX_SOURCE = SOURCE_BYTES
"""Bytes of a file that are parsed."""

MAX_FILES = 40
MAX_REACHED = 60
MADE_BY = ("__init__", "__call__", "forward")
"""Methods that calling a class, or what it made, may mean."""

Def = ast.FunctionDef | ast.AsyncFunctionDef
Span = tuple[int, int, int, int]


@dataclass(frozen=True)
class Spot:
    """Where a statement or an expression stands; lines count from 1."""

    file: str
    line: int
    end_line: int


@dataclass(frozen=True, eq=False)
class Function:
    """A function, or a method of the class `owner`; `nested` when it stands in a function."""

    file: str
    node: Def
    owner: str = ""
    nested: bool = False

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def parameters(self) -> list[str]:
        """Return the names of its arguments, `self` left out."""
        a = self.node.args
        names = [p.arg for p in (*a.posonlyargs, *a.args)]
        return names[1:] if self.owner and names else names

    def spot(self, node: ast.AST) -> Spot:
        """Return the place of a node in it."""
        line = getattr(node, "lineno", self.node.lineno)
        return Spot(self.file, line, getattr(node, "end_lineno", None) or line)


class Program:
    """All files of a submission that the judge reads and that parse."""

    def __init__(self, submission: Submission) -> None:
        self.main, self.names = submission.main, submission.names
        self._submission = submission
        self._files = submission.read[:MAX_FILES]

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """Return the tree of each file that parses, parsed when something first asks."""
        small = (file for file in self._files if len(file.data) <= MAX_SOURCE)
        trees = ((file.path, parsed(file.data)) for file in small)
        return {path: tree for path, tree in trees if tree is not None}

    @cached_property
    def lines(self) -> dict[str, tuple[str, ...]]:
        """Return the lines of each file as the parser counts them; none of what is not read."""
        return sources_of(self._submission)

    @cached_property
    def functions(self) -> list[Function]:
        """Return every function and method, in the order of the files."""
        return [
            found
            for path, tree in self.trees.items()
            for node in ast.walk(tree)
            for found in _defined(path, node)
        ]

    @cached_property
    def aliases(self) -> dict[str, set[str]]:
        """Return further module-level names of functions: `f = g`."""
        found: dict[str, set[str]] = {}
        for tree in self.trees.values():
            for name, value in bindings(tree.body):
                if isinstance(value, ast.Name | ast.Attribute):
                    found.setdefault(name, set()).add(last_name(value))
        return found

    @cached_property
    def outliving(self) -> frozenset[str]:
        """Return the names whose values outlive a call: of the module, and `global` ones."""
        lasting: set[str] = set()
        defined = {f.name for f in self.functions}
        for tree in self.trees.values():
            for name, value in bindings(tree.body):
                if not _is_fixed(value) and last_name(value) not in defined:
                    lasting.add(name)
            for node in ast.walk(tree):
                if isinstance(node, ast.Global):
                    lasting |= set(node.names)
        return frozenset(lasting)

    def contract(self, name: str) -> Function | None:
        """Return the candidate's function for a name of the contract: its last definition."""
        own = self.names.get(name, name)
        plain = [f for f in self.functions if f.name == own and not (f.owner or f.nested)]
        here = [f for f in plain if f.file == self.main] or plain
        if here:
            return here[-1]
        named = self.aliases.get(own, set()) | {own}
        return next((f for f in reversed(self.functions) if f.name in named), None)

    def reached(self, *names: str, without: Iterable[str] = ()) -> list[Function]:
        """Return the contract's functions `names` and those of the candidate's that they call.

        In the order in which they are met. `without` are contract's names not entered.
        """
        barred = {id(f.node) for n in without if (f := self.contract(n)) is not None}
        found = [f for n in names if (f := self.contract(n)) is not None]
        for function in found:
            for called in self._called(function):
                new = id(called.node) not in barred and called not in found
                if new and len(found) < MAX_REACHED:
                    found.append(called)
        return found

    def _called(self, function: Function) -> Iterator[Function]:
        for node in ast.walk(function.node):
            if isinstance(node, ast.Call):
                yield from self.resolved(node.func)

    def resolved(self, func: ast.expr) -> Iterator[Function]:
        """Yield the candidate's functions that a call may mean."""
        name = last_name(func)
        if not isinstance(func, ast.Name):
            yield from self._by_name.get(name, ())
            return
        made = [f for f in self._by_owner.get(name, ()) if f.name in MADE_BY]
        named = {name, *self.aliases.get(name, ())}
        plain = [f for n in named for f in self._by_name.get(n, ()) if not f.owner]
        yield from sorted({*made, *plain}, key=self._order.__getitem__)

    @cached_property
    def _by_name(self) -> dict[str, list[Function]]:
        return _grouped(self.functions, lambda f: f.name)

    @cached_property
    def _by_owner(self) -> dict[str, list[Function]]:
        return _grouped((f for f in self.functions if f.owner), lambda f: f.owner)

    @cached_property
    def _order(self) -> dict[Function, int]:
        return {function: at for at, function in enumerate(self.functions)}

    # ── values that are passed on as they are ────────────────────────────────

    @cached_property
    def passed_on(self) -> dict[tuple[str, Span], str]:
        """Return the expressions that only fetch or copy a value: place → the new name.

        `dZ1 = dH1` and `dZ1 = dH1.copy()` give "dZ1", `{"b2": dZ2}` gives "b2", and a
        parameter that is returned as it came gives "return".
        """
        found: dict[tuple[str, Span], str] = {}
        for path, tree in self.trees.items():
            for node in ast.walk(tree):
                for expression, name in _passes(node):
                    found[path, span(expression)] = name
        for function in self.functions:
            for expression in _returned_parameters(function):
                found[function.file, span(expression)] = "return"
        return found

    @cached_property
    def assigned(self) -> dict[tuple[str, Span], str]:
        """Return all expressions that an assignment keeps: place → name."""
        return {
            (path, span(value)): name
            for path, tree in self.trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and len(node.targets) == 1
            for value, name in _parts(node.targets[0], node.value)
        }


def _grouped(
    functions: Iterable[Function], key: Callable[[Function], str]
) -> dict[str, list[Function]]:
    found: dict[str, list[Function]] = {}
    for function in functions:
        found.setdefault(key(function), []).append(function)
    return found


def span(node: ast.expr | ast.stmt) -> Span:
    """Return line and column of start and end, as a trace has them."""
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def last_name(node: ast.AST | None) -> str:
    """Return `sum` of `np.sum`, `x` of `x`; "" for what has no name."""
    return getattr(node, "attr", getattr(node, "id", ""))


def text_of(node: ast.AST | None) -> str | None:
    """Return the text of a string that is written as such, None for anything else."""
    text = node.value if isinstance(node, ast.Constant) else None
    return text if isinstance(text, str) else None


def first_name(node: ast.AST) -> str:
    """Return `np` of `np.linalg.norm(…)[0]`: the name that an expression of parts begins with."""
    while not isinstance(node, ast.Name):
        inner = getattr(node, "value", getattr(node, "func", None))
        if not isinstance(inner, ast.AST):
            return ""
        node = inner
    return node.id


def in_order(nodes: Iterable[ast.AST]) -> list[ast.AST]:
    """Return the nodes that have a place, in the order of the source."""
    at = [n for n in nodes if hasattr(n, "lineno")]
    return sorted(at, key=lambda n: (n.lineno, n.col_offset))  # type: ignore[attr-defined]


def bindings(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield (name, value) of the assignments among statements; None where it is unclear."""
    for statement in body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                yield from pairs(target, statement.value)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id, statement.value


def pairs(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the names in a target, each with its own part of the value where both are tuples."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List):
        parts: list[ast.expr | None] = [None] * len(target.elts)
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(parts):
            parts = [*value.elts]
        for inner, part in zip(target.elts, parts, strict=True):
            yield from pairs(inner, part)


def _defined(path: str, node: ast.AST) -> Iterator[Function]:
    """The functions that stand directly in a module, a class or a function."""
    if isinstance(node, ast.Module | ast.ClassDef | Def):
        owner = node.name if isinstance(node, ast.ClassDef) else ""
        for inner in without_definitions(node.body):
            if isinstance(inner, Def):
                yield Function(path, inner, owner, isinstance(node, Def))


def without_definitions(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a block and of its inner blocks, without functions and classes."""
    queue: list[ast.AST] = [*body]
    for node in queue:
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, Def | ast.ClassDef | ast.expr):
            queue += ast.iter_child_nodes(node)


def _is_fixed(value: ast.expr | None) -> bool:
    """Whether a module-level value is one that calls cannot change."""
    if value is None:
        return False
    if isinstance(value, ast.Call) and last_name(value.func) in ("namedtuple", "dtype", "finfo"):
        return True
    made = (ast.Dict, ast.List, ast.Set, ast.Call, ast.DictComp, ast.ListComp, ast.SetComp)
    return not any(isinstance(n, made) for n in ast.walk(value))


# ── passing on ───────────────────────────────────────────────────────────────

COPIES = ("copy", "array", "asarray", "astype", "clone", "ascontiguousarray", "asanyarray")


def fetches(node: ast.AST | None) -> bool:
    """Return whether an expression gives a value as it is: a name, an entry, a copy."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant)
    if isinstance(node, ast.Call):
        return last_name(node.func) in COPIES
    return isinstance(node, ast.Name | ast.Attribute)


def _passes(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """(expression, new name) for what a node gives on unchanged."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        parts = _parts(node.targets[0], node.value)
        yield from ((value, name) for value, name in parts if fetches(value))
    elif isinstance(node, ast.AugAssign | ast.AnnAssign) and fetches(node.value):
        assert node.value is not None
        yield node.value, target_name(node.target)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and fetches(value):
                yield value, str(key.value)
    elif isinstance(node, ast.keyword) and node.arg and fetches(node.value):
        yield node.value, node.arg


def _parts(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    """(expression, name) of an assignment; `kept x` where a variable is stored in something."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        if len(target.elts) == len(value.elts):
            for inner, part in zip(target.elts, value.elts, strict=True):
                yield from _parts(inner, part)
    elif not isinstance(target, ast.Tuple):
        saved = isinstance(target, ast.Attribute | ast.Subscript) and isinstance(value, ast.Name)
        yield value, f"kept {target_name(target)}" if saved else target_name(target)


def target_name(target: ast.expr) -> str:
    """Return the name under which an assignment keeps its value: `db` of `self.db`."""
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return last_name(target.value if isinstance(target, ast.Subscript) else target)


def _returned_parameters(function: Function) -> Iterator[ast.expr]:
    """Parameters that a function gives back as they came."""
    unchanged = set(function.parameters)
    for node in ast.walk(function.node):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            unchanged.discard(node.id)
    for node in ast.walk(function.node):
        if isinstance(node, ast.Return) and node.value is not None:
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            yield from (p for p in parts if isinstance(p, ast.Name) and p.id in unchanged)
