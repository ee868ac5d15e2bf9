"""One file's text as its syntax tree sees it, and edits of it that keep the rest as it stands.

Offsets count bytes of UTF-8, as the tree's columns do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from grader.source.parsing import parse, parse_expression, parsed
from grader.source.program import last_name

SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr, ast.Delete, ast.Assert)
TIGHT = (ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Compare, ast.Starred, ast.BoolOp)
ATOMIC = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.List, ast.Dict)

WORD_BEFORE = rb"\b(return|in|not|and|or|if|else|yield|assert)\s+$"
"""What may stand before an opening parenthesis without its being a call's."""


@dataclass(frozen=True, slots=True)
class Edit:
    """The bytes from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, eq=False)
class Site:
    """An expression, what it is directly a part of, and the simple statement around both."""

    node: ast.expr
    parent: ast.AST
    statement: ast.stmt


class Text:
    """A Python file. Raises `SyntaxError` or `ValueError` for what is none, or not in UTF-8."""

    def __init__(self, data: bytes) -> None:
        data.decode("utf-8")
        if data.startswith(b"\xef\xbb\xbf"):
            raise ValueError("a byte order mark shifts the first line's columns")
        self.data, self.tree = data, parse(data)
        ends = [m.end() for m in re.finditer(rb"\r\n|\r|\n", data)]
        self.starts = [0, *ends]
        self.parents: dict[ast.AST, ast.AST] = {}
        self.functions: dict[ast.AST, str] = {}
        self._collect(self.tree, "")

    def _collect(self, node: ast.AST, function: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            function = f"{function}.{node.name}".lstrip(".")
        self.functions[node] = function
        for child in ast.iter_child_nodes(node):
            self.parents[child] = node
            self._collect(child, function)

    @cached_property
    def modules(self) -> frozenset[str]:
        """Return the names of imported modules."""
        imports = (n for n in ast.walk(self.tree) if isinstance(n, ast.Import | ast.ImportFrom))
        return frozenset((a.asname or a.name).partition(".")[0] for n in imports for a in n.names)

    # ── places ───────────────────────────────────────────────────────────────

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where a node starts and ends; parentheses around it are not its own."""
        at: ast.expr = node  # type: ignore[assignment]  # whatever has a position
        end = self.starts[(at.end_lineno or at.lineno) - 1] + (at.end_col_offset or 0)
        return self.starts[at.lineno - 1] + at.col_offset, end

    def text(self, node: ast.AST) -> str:
        """Return a node's source."""
        return self.data[slice(*self.span(node))].decode()

    def line(self, offset: int) -> int:
        """Return the number of the line, from 1, on which an offset lies."""
        return next(n for n in range(len(self.starts), 0, -1) if self.starts[n - 1] <= offset)

    def statements(self, first: int, last: int) -> list[ast.stmt]:
        """Return the simple statements that touch the lines from `first` to `last`."""
        return [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, SIMPLE)
            and node.lineno <= last
            and first <= (node.end_lineno or node.lineno)
            and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        ]

    def sites(self, statement: ast.stmt) -> Iterator[Site]:
        """Yield the expressions in a statement that are evaluated, the outer before the inner."""
        queue = list(ast.iter_child_nodes(statement))
        for node in queue:
            if isinstance(node, ast.JoinedStr | ast.Lambda):
                continue
            parent = self.parents[node]
            called = isinstance(parent, ast.Call) and node is parent.func
            stored = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
            plain = isinstance(node, ast.Name) and node.id in self.modules
            sliced = isinstance(parent, ast.Subscript) and node is parent.slice
            odd = isinstance(node, ast.Constant | ast.Starred | ast.Slice)
            odd = odd or (sliced and isinstance(node, ast.Tuple))
            if isinstance(node, ast.expr) and not (called or stored or plain or odd):
                yield Site(node, parent, statement)
            queue += ast.iter_child_nodes(node)

    def block(self, statement: ast.stmt) -> Sequence[ast.stmt]:
        """Return the statements among which one stands."""
        fields = (getattr(self.parents[statement], n, []) for n in ("body", "orelse", "finalbody"))
        return next(f for f in fields if isinstance(f, list) and statement in f)

    def makers(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return the assignments in the same function that a statement reads, nearest first."""
        read = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
        here = self.functions[statement]
        found = [
            node
            for node, function in self.functions.items()
            if isinstance(node, ast.Assign | ast.AugAssign) and function == here
            if node is not statement and node.lineno <= statement.lineno and read & _bound(node)
        ]
        return sorted(found, key=lambda node: -node.lineno)

    def sources(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return the statements of the same function that a statement rests on, the last first."""
        found = [statement]
        for node in found:
            found += [maker for maker in self.makers(node) if maker not in found]
        return sorted(found[1:], key=lambda node: -node.lineno)

    def callers(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return the statements that call the function around one."""
        name = self.functions[statement].rpartition(".")[2]
        calls = [
            node
            for node in self.functions
            if isinstance(node, ast.Call) and name and name == last_name(node.func)
        ]
        return [s for s in map(self.statement, calls) if s is not None]

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """Return the simple statement around an expression; None for a compound one's head."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node if isinstance(node, SIMPLE) else None

    def returns(self, function: str) -> list[ast.stmt]:
        """Return the `return` statements of a function at module level."""
        inside = (n for n, name in self.functions.items() if name == function)
        return [n for n in inside if isinstance(n, ast.Return)]

    def begins_line(self, statement: ast.stmt) -> bool:
        """Return whether nothing but indentation stands before a statement."""
        start = self.starts[statement.lineno - 1]
        return not self.data[start : start + statement.col_offset].strip()

    # ── edits ────────────────────────────────────────────────────────────────

    def replaced(self, site: Site, text: str) -> Edit:
        """Return the edit that puts `text` in the place of an expression, parentheses added."""
        start, end = self.span(site.node)
        around = self.data[:start].rstrip()[-1:] + self.data[end:].lstrip()[:1]
        value_of = isinstance(site.parent, ast.Subscript) and site.parent.value is site.node
        tight = isinstance(site.parent, TIGHT) or value_of
        if around == b"()" and atomic(text):
            return self._bare(start, end, text)
        torn = tight and around != b"()" and not atomic(text)
        return Edit(start, end, f"({text})" if torn else text)

    def _bare(self, start: int, end: int, text: str) -> Edit:
        """An atom in the place of an expression and of the parentheses that it no longer needs."""
        before = self.data[:start].rstrip()[:-1]
        called = re.search(rb"[\w)\]]\s*$", before) and not re.search(WORD_BEFORE, before)
        if called:
            return Edit(start, end, text)
        after = len(self.data) - len(self.data[end:].lstrip()) + 1
        return Edit(len(before), after, text)

    def removed(self, statement: ast.stmt) -> Edit:
        """Return the edit that removes a statement; `pass` stands where a block would be empty."""
        start, end = self.span(statement)
        if len(self.block(statement)) == 1:
            return Edit(start, end, "pass")
        line_end = self.starts[statement.end_lineno or 0] if self._ends_line(end) else -1
        if self.begins_line(statement) and line_end > 0:
            return Edit(self.starts[statement.lineno - 1], line_end, "")
        semicolon = re.compile(rb";\s*").match(self.data, end)
        if semicolon and self.begins_line(statement):
            return Edit(start, semicolon.end(), "")
        before = self.data[:start].rstrip()
        return Edit(len(before) - 1, end, "") if before.endswith(b";") else Edit(start, end, "pass")

    def _ends_line(self, end: int) -> bool:
        rest = re.compile(rb"[ \t]*(#[^\r\n]*)?(\r\n|\r|\n|$)").match(self.data, end)
        return rest is not None and self.line(end) < len(self.starts)

    def followed(self, statement: ast.stmt, text: str) -> Edit:
        """Return the edit that adds a statement after one."""
        _, end = self.span(statement)
        if not self.begins_line(statement) or not self._ends_line(end):
            return Edit(end, end, f"; {text}")
        indent = self.data[self.starts[statement.lineno - 1] :][: statement.col_offset].decode()
        return Edit(end, end, f"\n{indent}{text}")

    def applied(self, edits: Sequence[Edit]) -> bytes:
        """Return the file with all edits made; they must not overlap."""
        data = self.data
        for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
            data = data[: edit.start] + edit.text.encode() + data[edit.end :]
        return data

    def sound(self, edit: Edit) -> bool:
        """Return whether the edited file parses, and is another text than before."""
        if self.data[edit.start : edit.end].decode() == edit.text:
            return False
        return parsed(self.applied([edit])) is not None


def _bound(node: ast.Assign | ast.AugAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}


def atomic(text: str) -> bool:
    """Return whether an expression needs no parentheses anywhere."""
    try:
        node = parse_expression(text)
    except SyntaxError:
        return True
    return isinstance(node, ATOMIC) or (node.col_offset > 0 and isinstance(node, ast.Tuple))
