"""Statements that write into an array or object which somebody else holds.

Names are followed through assignments, views and the candidate's own functions: after
`Z = X`, `Z += b` writes into X. A copy, a sum, a fancy index end the trail.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from grader.source.program import (
    Function,
    Program,
    Spot,
    first_name,
    last_name,
    pairs,
    target_name,
    text_of,
)

MAX_DEPTH = 6
"""Calls of own functions in each other that are followed."""

VIEWS = frozenset(
    (
        *("asarray", "asanyarray", "ravel", "reshape", "squeeze", "transpose", "atleast_2d"),
        *("ascontiguousarray", "view", "swapaxes", "get", "values", "items", "from_numpy"),
    )
)
"""Functions and methods that may give the array itself, or a view of it."""

FACTS = frozenset(("shape", "size", "ndim", "dtype", "itemsize", "nbytes"))
"""Attributes that are no part of an array's data."""

CHANGING = frozenset(
    (
        *("sort", "fill", "put", "partition", "resize", "itemset", "setfield", "clear", "update"),
        *("append", "pop", "insert", "extend", "remove", "reverse", "popitem", "setdefault"),
    )
)
"""Methods that change what they are called on."""

INTO_FIRST = frozenset(
    ("copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis", "at")
)
"""Functions of NumPy that write into their first argument."""

UFUNCS: Mapping[str, int] = {
    **dict.fromkeys(("add", "subtract", "multiply", "divide", "maximum", "minimum", "power"), 2),
    **dict.fromkeys(("exp", "log", "negative", "square", "sqrt", "abs", "tanh"), 1),
}
"""Functions that take an output behind so many inputs."""

Holds = dict[str, str]
"""Variable → whose array it holds."""


@dataclass(frozen=True)
class Write:
    """A statement that writes into `root`, a parameter's name; `stored` when it sets an entry.

    `spot` is where the array written into got a second name, if it did: there a copy is missing.
    """

    spot: Spot
    root: str
    stored: bool = False


@dataclass
class Follower:
    """Follows what a function is given through its statements."""

    program: Program
    depth: int = 0
    renamed: dict[tuple[int, str], Spot] = field(default_factory=dict)
    seen: set[tuple[int, tuple[tuple[str, str], ...]]] = field(default_factory=set)

    def writes(self, function: Function, held: Mapping[str, str]) -> list[Write]:
        """Return the writes into what the variables `held` hold, in the order of the statements."""
        key = id(function.node), tuple(sorted(held.items()))
        if self.depth >= MAX_DEPTH or key in self.seen:
            return []
        self.seen.add(key)
        return list(self._block(function, function.node.body, dict(held)))

    def _block(self, function: Function, body: list[ast.stmt], holds: Holds) -> Iterator[Write]:
        for statement in body:
            yield from self._inside(function, statement, holds)
            for write, written in _target_written(function, statement, holds):
                yield self._at_copy(function, write, written)
            _bind(statement, holds)
            self._note_name(function, statement, holds)
            for name in ("body", "orelse", "finalbody"):
                inner = getattr(statement, name, None)
                if isinstance(inner, list) and not isinstance(
                    statement, ast.ClassDef | ast.FunctionDef
                ):
                    yield from self._block(function, inner, holds)
            for handler in getattr(statement, "handlers", ()):
                yield from self._block(function, handler.body, holds)

    def _at_copy(self, function: Function, write: Write, written: ast.expr) -> Write:
        """The write where the array got a second name, if it did."""
        spot = self.renamed.get((id(function.node), first_name(written)))
        return replace(write, spot=spot) if spot else write

    def _note_name(self, function: Function, statement: ast.stmt, holds: Holds) -> None:
        """Remember where a second name is given to what is held: there a copy is missing."""
        if not isinstance(statement, ast.Assign):
            return
        names = [n for t in statement.targets for n, _ in pairs(t, None)]
        for name in names:
            self.renamed.pop((id(function.node), name), None)
        value, target = statement.value, statement.targets[0]
        single = isinstance(target, ast.Name) and len(names) == 1 and names[0] in holds
        if single and _known_as(value) != names[0]:
            self.renamed[id(function.node), names[0]] = function.spot(statement)

    def _inside(self, function: Function, statement: ast.stmt, holds: Holds) -> Iterator[Write]:
        """Writes by the calls within a statement."""
        queue: list[ast.AST] = [statement]
        for node in queue:
            inner = ast.iter_child_nodes(node)
            queue += [n for n in inner if not isinstance(n, ast.stmt | ast.ExceptHandler)]
            if isinstance(node, ast.Call):
                for written in _written_by(node):
                    if root := root_of(written, holds):
                        yield self._at_copy(
                            function, Write(function.spot(statement), root), written
                        )
                yield from self._through(node, holds)

    def _through(self, call: ast.Call, holds: Holds) -> Iterator[Write]:
        """Writes within the candidate's own function that is called."""
        positional = {i: r for i, a in enumerate(call.args) if (r := root_of(a, holds))}
        named = {k.arg: r for k in call.keywords if k.arg and (r := root_of(k.value, holds))}
        owner = root_of(call.func.value, holds) if isinstance(call.func, ast.Attribute) else ""
        if not (positional or named or owner):
            return
        self.depth += 1
        for function in self.program.resolved(call.func):
            names = function.parameters
            held = {names[i]: r for i, r in positional.items() if i < len(names)}
            if owner and function.owner and function.node.args.args:
                held[function.node.args.args[0].arg] = owner
            yield from self.writes(function, {**held, **named})
        self.depth -= 1


def _known_as(value: ast.expr) -> str:
    """The name by which an array was known: `P` of `cache.P`, `cache["P"]`, `np.asarray(P)`."""
    while isinstance(value, ast.Call):
        owner = value.func.value if isinstance(value.func, ast.Attribute) else value.func
        value = value.args[0] if value.args else owner
    return target_name(value)


def root_of(node: ast.expr | None, holds: Mapping[str, str]) -> str:
    """Return whose array an expression gives, or gives a view of; "" for a value of its own."""
    while True:
        if isinstance(node, ast.Name):
            return holds.get(node.id, "")
        if isinstance(node, ast.Attribute) and dotted(node) in holds:
            return holds[dotted(node)]
        part = isinstance(node, ast.Attribute) and node.attr not in FACTS
        view = isinstance(node, ast.Subscript) and _is_view(node.slice)
        if part or view or isinstance(node, ast.NamedExpr):
            node = node.value  # type: ignore[union-attr]
        elif isinstance(node, ast.IfExp):
            return root_of(node.body, holds) or root_of(node.orelse, holds)
        elif isinstance(node, ast.Call) and last_name(node.func) in VIEWS:
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            held = root_of(owner, holds)
            if held or not node.args:
                return held
            node = node.args[0]
        else:
            return ""


def dotted(node: ast.expr) -> str:
    """Return `self.x` as it is written; "" for what is no attribute of a variable."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_view(index: ast.expr) -> bool:
    """Whether an index gives a view or an entry, not a copy of what is picked."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    return all(isinstance(p, ast.Slice | ast.Constant | ast.UnaryOp) for p in parts) or (
        isinstance(index, ast.Name) and len(index.id) <= 2
    )


def _bind(statement: ast.stmt, holds: Holds) -> None:
    """What names hold after a statement."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            _bind_target(target, statement.value, holds)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        _bind_target(statement.target, statement.value, holds)
    elif isinstance(statement, ast.For):
        _bind_target(statement.target, statement.iter, holds)


def _bind_target(
    target: ast.expr, value: ast.expr, holds: Holds, before: Mapping[str, str] | None = None
) -> None:
    """`before` is what names held when the whole assignment began."""
    if isinstance(target, ast.Tuple | ast.List):
        same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        parts = value.elts if same else [value] * len(target.elts)  # type: ignore[attr-defined]
        before = dict(holds)  # `a, b = b, a` reads all before it sets any
        for inner, part in zip(target.elts, parts, strict=True):
            _bind_target(inner, part, holds, before)
        return
    target = target.value if isinstance(target, ast.Starred) else target
    if name := dotted(target):
        root = root_of(value, holds if before is None else before)
        holds.pop(name, None)
        if root:
            holds[name] = root


def _target_written(
    function: Function, statement: ast.stmt, holds: Holds
) -> Iterator[tuple[Write, ast.expr]]:
    """Writes by an assignment's own target, with what is written into."""
    if isinstance(statement, ast.AugAssign):
        changed = statement.target
        base: ast.expr = changed.value if isinstance(changed, ast.Subscript) else changed
        if root := root_of(base, holds):
            yield Write(function.spot(statement), root), base
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            if not isinstance(target, ast.Subscript | ast.Attribute):
                continue
            if root := root_of(target.value, holds):
                named = isinstance(target, ast.Attribute) or text_of(target.slice) is not None
                yield Write(function.spot(statement), root, stored=named), target.value


def _written_by(call: ast.Call) -> Iterator[ast.expr]:
    """What a call of a library's function writes into."""
    name, arguments = last_name(call.func), call.args
    yield from (k.value for k in call.keywords if k.arg == "out")
    if isinstance(call.func, ast.Attribute):
        changes = name in CHANGING or (name.endswith("_") and not name.endswith("__"))
        if changes and name != "requires_grad_":
            yield call.func.value
        position = 0 if name in INTO_FIRST else UFUNCS.get(name, len(arguments))
        if position < len(arguments):
            yield arguments[position]
