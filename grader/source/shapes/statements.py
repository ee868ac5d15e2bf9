"""Finds where a source states shapes: comments, docstrings, asserts, annotations.

Works on a stranger's text inside the judge: nothing is executed, sizes are
capped, and a source that does not parse states nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from grader.source.parsing import parsed
from grader.source.program import text_of
from grader.source.shapes.claims import BARE, ONE_TOKEN, Claim, claims
from grader.source.shapes.subjects import (
    Referent,
    asserted_in,
    changes_part,
    entries_of,
    letters_of,
    subjects_of,
)
from grader.source.shapes.words import exact_name

MAX_CHARACTERS = 100_000
"""Of all files together; an answer has five thousand. Hostile ones of this size take 0.4 s."""

MAX_LINE = 1000
MAX_STATEMENTS = 400
NOTHING_ELSE = re.compile(r"(?:shape)? ?[:=]? ?[\[(][^()\[\]]{0,60}[\])][.,;]?")


@dataclass(frozen=True, slots=True)
class Statement:
    """One stated shape. It is right when it is right of any subject; wrong only when `firm`.

    A token of `shape` is a word, a number, or `X.shape[0]` for the size of an axis.
    `prose` speaks of names, and does not stand at the code that gives them.
    """

    line: int
    function: str
    subjects: tuple[Referent, ...]
    shape: tuple[str, ...]
    firm: bool
    prose: bool = False


@dataclass(frozen=True, slots=True)
class LetterDefinition:
    """`letter` is the size of an axis of `name`: `N, D = X.shape`, `n = len(y)`."""

    function: str
    letter: str
    name: str
    axis: int


@dataclass(frozen=True, slots=True)
class StatedShapes:
    """All that one file states, and its lines as the parser counts them."""

    lines: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    definitions: tuple[LetterDefinition, ...] = ()


def read_source(lines: Sequence[str]) -> StatedShapes:
    """Return what a Python file states about shapes. Linear in its length, and never raises."""
    text = "\n".join(lines)
    if len(text) > MAX_CHARACTERS:
        return StatedShapes()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = tuple(text.split("\n"))
    tree = parsed(text)
    if tree is None:
        return StatedShapes()
    reader = _StatementReader(lines)
    reader.read(tree)
    found = [*reader.statements, *reader.comments()]
    found.sort(key=lambda s: s.line)
    definitions = tuple(reader.definitions[:MAX_STATEMENTS])
    return StatedShapes(lines, tuple(found[:MAX_STATEMENTS]), definitions)


_Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_HOLDERS = (ast.stmt, ast.excepthandler, ast.match_case)
_TEXTS = ("Constant", "JoinedStr", "TemplateStr")


@dataclass
class _StatementReader:
    """Walks the statements, and looks into expressions only where something is stated there.

    `ends` holds by line what a comment there may be about, and whether nothing else
    could be meant; `below` the same by the line on which a statement starts. `texts`
    holds by line where strings stand, as a `#` in them starts no comment.
    """

    lines: Sequence[str]
    statements: list[Statement] = field(default_factory=list)
    definitions: list[LetterDefinition] = field(default_factory=list)
    ends: dict[int, list[tuple[Referent, bool]]] = field(default_factory=dict)
    below: dict[int, list[tuple[Referent, bool]]] = field(default_factory=dict)
    texts: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    inside: dict[int, str] = field(default_factory=dict)

    def read(self, tree: ast.Module) -> None:
        """Read all statements, outer ones first."""
        self._docstring(tree, "")
        stack: list[tuple[ast.AST, str]] = [(s, "") for s in reversed(tree.body)]
        while stack:
            node, function = stack.pop()
            compound = hasattr(node, "body") or hasattr(node, "cases")
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                function = f"{function}.{node.name}" if function else node.name
                self._scope(node, function)
            elif isinstance(node, ast.stmt) and not compound:
                self._simple(node, function)
            if self._worth_a_look(node, compound=compound):
                self._expressions(node)
            if compound:
                children = [c for c in ast.iter_child_nodes(node) if isinstance(c, _HOLDERS)]
                stack += [(c, function) for c in reversed(children)]

    def _worth_a_look(self, node: ast.AST, *, compound: bool) -> bool:
        """Whether expressions can matter: over several lines, or with quotes and a comment."""
        if not isinstance(node, ast.stmt) or compound or node.end_lineno != node.lineno:
            return True
        line = self.lines[node.lineno - 1]
        return "#" in line and ("'" in line or '"' in line)

    # ── definitions, assignments, asserts ────────────────────────────────────

    def _scope(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, at: str) -> None:
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
            self.inside[number] = at
        self._docstring(node, at)
        if isinstance(node, ast.ClassDef):
            return
        every = node.args
        for arg in (*every.posonlyargs, *every.args, *every.kwonlyargs):
            subject = Referent(arg.arg)
            self.ends.setdefault(arg.end_lineno or 0, []).append((subject, False))
            self._annotation(arg.annotation, at, subject)

    def _docstring(self, node: _Scope, at: str) -> None:
        first = node.body[0] if node.body else None
        if not isinstance(first, ast.Expr) or text_of(first.value) is None:
            return
        for number in range(first.lineno, (first.end_lineno or first.lineno) + 1):
            for claim in claims(self.lines[number - 1].strip().strip("\"'")):
                if claim.subjects:
                    named = tuple(Referent(s) for s in claim.subjects)
                    self._state(Statement(number, at, named, claim.shape, claim.firm, True))

    def _state(self, statement: Statement) -> None:
        if len(self.statements) < MAX_STATEMENTS:
            self.statements.append(statement)

    def _simple(self, node: ast.stmt, at: str) -> None:
        """What a statement assigns or returns is what a comment at its line is about."""
        first, last = node.lineno, node.end_lineno or node.lineno
        sure = first == last and not changes_part(node)
        subjects = [(subject, sure) for subject in subjects_of(node)]
        self.below.setdefault(first, []).extend(subjects)
        for number in {first, last}:
            self.ends.setdefault(number, []).extend(subjects)
        if isinstance(node, ast.AnnAssign) and subjects:
            self._annotation(node.annotation, at, subjects[0][0])
        elif isinstance(node, ast.Assign):
            self.definitions += [LetterDefinition(at, *found) for found in letters_of(node)]
        elif isinstance(node, ast.Assert):
            for name, shape in asserted_in(node.test):
                self._state(Statement(first, at, (Referent(name),), shape, True))

    def _annotation(self, node: ast.expr | None, at: str, subject: Referent) -> None:
        """`Float[Array, "B H"]`, or a string that is nothing but a shape."""
        last = node.slice if isinstance(node, ast.Subscript) else node
        if isinstance(last, ast.Tuple) and last.elts:
            last = last.elts[-1]
        text = text_of(last)
        if node is None or last is None or text is None:
            return
        text = text.strip()[:100]
        tokens = tuple(text.replace(",", " ").split())
        if isinstance(node, ast.Subscript) and all(ONE_TOKEN.fullmatch(t) for t in tokens):
            self._state(Statement(last.lineno, at, (subject,), tokens, True))
        elif NOTHING_ELSE.fullmatch(text) or BARE.fullmatch(text):
            for claim in claims(text):
                self._state(Statement(last.lineno, at, (subject,), claim.shape, claim.firm))

    # ── expressions ──────────────────────────────────────────────────────────

    def _expressions(self, statement: ast.AST) -> None:
        """Strings, which may hold a `#`; and entries of displays and calls, a line each."""
        stack = [c for c in ast.iter_child_nodes(statement) if not isinstance(c, _HOLDERS)]
        while stack:
            node = stack.pop()
            if type(node).__name__ in _TEXTS:
                self._text(node)
                continue
            if isinstance(node, ast.expr) and node.end_lineno != node.lineno:
                for end, subject in entries_of(node):
                    self.ends.setdefault(end, []).append((subject, True))
            stack += ast.iter_child_nodes(node)

    def _text(self, node: ast.AST) -> None:
        """Note where a string stands."""
        assert isinstance(node, ast.expr)
        if isinstance(node, ast.Constant) and not isinstance(node.value, str | bytes):
            return
        first, last = node.lineno, node.end_lineno or node.lineno
        for number in range(first, last + 1):
            start = node.col_offset if number == first else 0
            end = (node.end_col_offset or 0) if number == last else MAX_CHARACTERS * 4
            self.texts.setdefault(number, []).append((start, end))

    # ── comments ─────────────────────────────────────────────────────────────

    def comments(self) -> Iterator[Statement]:
        """Yield what comments state, each about the code on its line, or below it."""
        for number, line in enumerate(self.lines, 1):
            at = self._comment(number, line) if "#" in line and len(line) <= MAX_LINE else -1
            if at < 0:
                continue
            text = line[at:].strip("#: ")
            beside = self.ends if line[:at].strip() else self.below
            place = number if beside is self.ends else self._next_line(number)
            only = NOTHING_ELSE.fullmatch(text) is not None or beside is self.ends
            for claim in claims(text):
                found = _commented(claim, beside.get(place, []), only=only)
                if found is not None:
                    subjects, firm = found
                    prose = all(s.span is None for s in subjects)
                    function = self.inside.get(number, "")
                    yield Statement(number, function, subjects, claim.shape, firm, prose)

    def _comment(self, number: int, line: str) -> int:
        """Where the comment of a line begins, -1 for none."""
        at = line.find("#")
        while at >= 0:
            column = len(line[:at].encode("utf-8", "replace"))
            if not any(start <= column < end for start, end in self.texts.get(number, ())):
                return at
            at = line.find("#", at + 1)
        return -1

    def _next_line(self, number: int) -> int:
        """The line below a block of comments."""
        for following in range(number + 1, min(number + 8, len(self.lines) + 1)):
            if not self.lines[following - 1].lstrip().startswith("#"):
                return following
        return 0


def _commented(
    claim: Claim, beside: Sequence[tuple[Referent, bool]], *, only: bool
) -> tuple[tuple[Referent, ...], bool] | None:
    """What a comment's claim is about, given what stands beside it; None for nothing."""
    targets = tuple(dict.fromkeys(subject for subject, _ in beside))
    sure = claim.firm and only and len(beside) == 1 and beside[0][1]
    if not claim.subjects:
        return (targets, sure) if targets else None
    for word in claim.subjects:
        same = [
            t for t in targets if t.name == word or exact_name(t.name) == exact_name(word) != ""
        ]
        if same:
            return tuple(same), sure
    named = tuple(Referent(word) for word in claim.subjects)
    if exact_name(claim.subjects[0]) or not targets:
        return named, claim.firm
    return (*targets, *named), False
