"""Rewrites a syntax tree so that every expression reports its value (child's side).

`x * (Z1 > 0)` becomes `__see__(3, __see__(0, x) * __see__(2, __see__(1, Z1) > 0))`:
the reporter gives back the very object, so nothing changes but the clock. An
assignment to a part (`dZ1[mask] = 0`) or in place (`Z += b`) is followed by a
report of the whole that it changed; the container is held meanwhile, not
evaluated twice. What is no value of the run stays as written: annotations,
decorators, defaults, f-strings, patterns, `del`, class bases, caught types.
"""

from __future__ import annotations

import ast
from types import CodeType
from typing import Any, NamedTuple, TypeVar

from grader.source.trees import Rewriter, walk

SEE, HOLD, HELD = "__see__", "__hold__", "__held__"
"""The reporters' names; they end in underscores, or a class body would mangle them."""

KINDS = (
    *("name", "attribute", "subscript", "call", "add", "subtract", "multiply", "divide"),
    *("matmul", "binary", "unary", "compare", "boolean", "choice", "target"),
)
"""What an expression is; `target` is a statement that changed its target."""

AS_WRITTEN = frozenset(
    (
        "JoinedStr",
        "TemplateStr",
        "TypeAlias",
        "Delete",
        "Import",
        "ImportFrom",
        "Global",
        "Nonlocal",
    )
)
"""Nodes, by name because some are newer than the oldest Python, in which nothing is reported."""

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.MatMult: "matmul",
}
_CODE = {kind: code for code, kind in enumerate(KINDS)}


_LOAD = ast.Load()
Node = TypeVar("Node", bound=ast.expr | ast.stmt)


class Entry(NamedTuple):
    """One place that reports: its span as `ast` counts (columns in UTF-8 bytes), kind, function."""

    line: int
    col: int
    end_line: int
    end_col: int
    kind: int
    function: str


def instrument(source: bytes, path: str, first: int = 0) -> tuple[CodeType, list[Entry]]:
    """Return the code of `source` with reports, and the table of places; ids count from `first`.

    Raises what `compile` raises. Traceback lines stay those of the source.
    """
    tree, table = instrumented_tree(source, path, first)
    return compile(tree, path, "exec", dont_inherit=True), table


def instrumented_tree(source: bytes, path: str, first: int = 0) -> tuple[ast.Module, list[Entry]]:
    """Return the tree and the table, for who executes some of its statements only."""
    tree = ast.parse(source, path)
    return tree, instrument_tree(tree, first)


def instrument_tree(tree: ast.Module, first: int = 0) -> list[Entry]:
    """Put reports into a tree, and return the table."""
    changed = _Instrumenter(first, _never_arrays(tree))
    changed.visit(tree)
    return changed.table


def _never_arrays(tree: ast.Module) -> frozenset[str]:
    """Return names that hold modules, functions or classes, and nothing else."""
    named, bound = set[str](), set[str]()
    for node in walk(tree):
        kind = type(node)
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                bound.add(node.id)
        elif kind is ast.arg:
            bound.add(node.arg)
        elif kind is ast.Import:
            named |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif kind in _NAMING:
            named.add(node.name)
    return frozenset(named - bound)


_NAMING = frozenset((ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


class _Instrumenter(Rewriter):
    """`table` grows by one entry for each reporting place, in the order of their ids."""

    def __init__(self, first: int, plain: frozenset[str]) -> None:
        super().__init__(AS_WRITTEN)
        self.first, self.plain = first, plain
        self.table: list[Entry] = []
        self.function = ""
        self.reporters: dict[tuple[str, int], ast.Name] = {}

    # ── building reports ─────────────────────────────────────────────────────

    def _entry(self, node: ast.expr | ast.stmt, kind: str) -> int:
        end_line, end_col = node.end_lineno or node.lineno, node.end_col_offset or 0
        place = (node.lineno, node.col_offset, end_line, end_col)
        self.table.append(Entry(*place, _CODE[kind], self.function))
        return self.first + len(self.table) - 1

    def _call(self, name: str, at: ast.expr | ast.stmt, *arguments: ast.expr) -> ast.Call:
        """Return a call of a reporter, whose name is one node for a whole line."""
        line = at.lineno
        reporter = self.reporters.get((name, line))
        if reporter is None:
            reporter = self.reporters[name, line] = _placed(ast.Name(name, _LOAD), at)
        return _placed(ast.Call(reporter, list(arguments), []), at)

    def _see(self, node: ast.expr, kind: str) -> ast.expr:
        return self._call(SEE, node, _constant(self._entry(node, kind), node), node)

    def _seen(self, statement: ast.stmt, name: ast.Name, kind: str) -> ast.Expr:
        """Return a statement of its own that reports a variable."""
        at: ast.expr | ast.stmt = statement if kind == "target" else name
        load = _placed(ast.Name(name.id, _LOAD), name)
        number = _constant(self._entry(at, kind), at)
        return _placed(ast.Expr(self._call(SEE, at, number, load)), statement)

    # ── expressions ──────────────────────────────────────────────────────────

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if isinstance(node.ctx, ast.Load) and node.id not in self.plain:
            return self._see(node, "name")
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if self._is_plain(node):
            return node
        node.value = self.visit(node.value)
        return self._see(node, "attribute") if isinstance(node.ctx, ast.Load) else node

    def _is_plain(self, node: ast.expr) -> bool:
        """Return whether `node` is a dotted name of a module's: `np.pi`, `torch.nn.functional`."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.plain

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        return self._see(node, "subscript") if isinstance(node.ctx, ast.Load) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Report the value, not the function; `super` must stay a call in its method's frame."""
        if isinstance(node.func, ast.Attribute):
            if not self._is_plain(node.func):
                node.func.value = self.visit(node.func.value)
        elif not isinstance(node.func, ast.Name):
            node.func = self.visit(node.func)
        node.args = [self.visit(a) for a in node.args]
        node.keywords = [self.visit(k) for k in node.keywords]
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return node
        return self._see(node, "call")

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        return self._computed(node, _OPERATORS.get(type(node.op), "binary"))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        return self._computed(node, "unary")

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return self._computed(node, "compare")

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        return self._computed(node, "boolean")

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return self._computed(node, "choice")

    def _computed(self, node: ast.expr, kind: str) -> ast.expr:
        """Report it, unless it is made of constants alone, as `-1` and `1 / 3` are."""
        before = len(self.table)
        self.generic_visit(node)
        return self._see(node, kind) if len(self.table) > before else node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        node.body = self.visit(node.body)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        node.iter = self.visit(node.iter)
        node.ifs = [self.visit(test) for test in node.ifs]
        return node

    # ── statements ───────────────────────────────────────────────────────────

    def visit_Assign(self, node: ast.Assign) -> Any:
        """Report the value, and afterwards what it is stored *into*."""
        node.value = self.visit(node.value)
        after = []
        for index, target in enumerate(node.targets):
            if isinstance(target, ast.Subscript):
                after.append(self._held(node, target, keyed=False))
            else:
                node.targets[index] = self.visit(target)
        return [node, *after]

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        """Report a variable before and after; of a part, the whole afterwards."""
        node.value = self.visit(node.value)
        target = node.target
        if isinstance(target, ast.Name):
            before = self._seen(node, target, "name")
            return [before, node, self._seen(node, target, "target")]
        if isinstance(target, ast.Subscript):
            return [node, self._held(node, target, keyed=True)]
        if target.attr.startswith("__") and not target.attr.endswith("__"):
            return node  # its mangled name is not known here
        number = self._entry(node, "target")
        target.value = self._call(
            HOLD, target.value, _constant(number, node), self.visit(target.value)
        )
        return [node, self._release(node, number, target.attr)]

    def _held(self, node: ast.stmt, target: ast.Subscript, *, keyed: bool) -> ast.Expr:
        """Hold the container of `target` (and its key, for dictionaries); report it afterwards."""
        number = self._entry(node, "target")
        target.value = self._call(
            HOLD, target.value, _constant(number, node), self.visit(target.value)
        )
        has_slice = any(isinstance(n, ast.Slice | ast.Starred) for n in ast.walk(target.slice))
        key = self.visit(target.slice)
        keyed = keyed and not has_slice
        target.slice = self._call(HOLD, target, _constant(number, node), key) if keyed else key
        return self._release(node, number, keyed)

    def _release(self, node: ast.stmt, number: int, how: bool | str) -> ast.Expr:
        call = self._call(HELD, node, _constant(number, node), _constant(how, node))
        return _placed(ast.Expr(call), node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        node.value = self.visit(node.value) if node.value else None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return self._scope(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return self._scope(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        return self._scope(node)

    def _scope(self, node: Any) -> ast.stmt:
        """Rewrite the body alone: decorators, defaults, annotations, bases and types stay."""
        outer = self.function
        self.function = f"{outer}.{node.name}" if outer else node.name
        node.body, self.function = self.visit_all(node.body), outer
        statement: ast.stmt = node
        return statement

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        node.body = self.visit_all(node.body)
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        node.guard = self.visit(node.guard) if node.guard else None
        node.body = self.visit_all(node.body)
        return node


def _constant(value: int | str, at: ast.expr | ast.stmt) -> ast.Constant:
    return _placed(ast.Constant(value, None), at)


def _placed(node: Node, at: ast.expr | ast.stmt) -> Node:
    """Return `node` at the position that `ast.copy_location` would give it, only faster."""
    node.lineno, node.col_offset = at.lineno, at.col_offset
    node.end_lineno, node.end_col_offset = at.end_lineno, at.end_col_offset
    return node
