"""Misspelt names: what a line reads that nothing defines, and what it is nearest to.

A name becomes one that its own scope defines; an attribute, a keyword and a key one that NumPy,
PyTorch or the file itself has.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import sys
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from grader.source.corrections.spelling import (
    ATTRIBUTES,
    IN_PYTHON_3,
    KEYWORDS_OF_CALLS,
    MODULES,
    distance,
    nearest,
)
from grader.source.corrections.version import LineEdit, SlipKind, Version
from grader.source.parsing import parsed

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
MOST_WORDS = 3
"""Misspelt words on the lines that raise. More of them are no slip."""

MOST_LOOKED_UP = 40
"""Words that nothing defines, on the lines that raise: looking one up takes up to 3 ms."""

MOST_SCOPES = 10
MOST_READINGS = 12
NUMPY = frozenset(dir(np))
ARRAY = frozenset(dir(np.ndarray))
WORDS_OF_PYTHON = frozenset(dir(builtins)) | {"True", "False", "None"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word in a text: its line, from 1, and its column in bytes of UTF-8."""

    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Misspelling:
    """A misspelt word, where it stands, and the rewritings that are equally near.

    Each rewriting has the words that change, all of one spelling, and what they become.
    """

    rewritings: tuple[tuple[tuple[Word, ...], str], ...]


def respelt(version: Version, lines: Set[int]) -> list[Version]:
    """Return the versions in which each misspelt word of some lines is one that is nearest."""
    tree = parsed(version.text)
    if tree is None:
        return []
    misspellings = list(itertools.islice(_Names(tree).misspellings(lines), MOST_WORDS + 1))
    if not misspellings or len(misspellings) > MOST_WORDS:
        return []
    ways = itertools.product(*(misspelling.rewritings for misspelling in misspellings))
    found = list(itertools.islice(ways, MOST_READINGS + 1))
    if len(found) > MOST_READINGS:
        return []
    return [v for v in (_rewritten(version, way) for way in found) if v is not None]


def _rewritten(version: Version, way: Sequence[tuple[tuple[Word, ...], str]]) -> Version | None:
    places = {(word.line, word.column): (word, new) for words, new in way for word in words}
    rows: dict[int, str] = {}
    python2 = all(IN_PYTHON_3.get(word.text) == new for word, new in places.values())
    for (line, column), (word, new) in sorted(places.items(), reverse=True):
        data = rows.get(line, version.lines[line - 1]).encode()
        old = word.text.encode()
        if not data.startswith(old, column):  # within an f-string a tree has other columns
            return None
        rows[line] = (data[:column] + new.encode() + data[column + len(old) :]).decode()
    slip = SlipKind.PYTHON2 if python2 else SlipKind.NAME
    return version.edited(*(LineEdit(n, text, slip) for n, text in rows.items()), size=len(way))


class _Names:
    """What a tree binds, and what it reads."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.nodes = list(ast.walk(tree))
        self.scopes: dict[ast.AST, tuple[ast.AST, ...]] = {}
        within: dict[ast.AST, tuple[ast.AST, ...]] = {tree: (tree,)}
        for node in self.nodes:  # each comes after its parent
            for child in ast.iter_child_nodes(node):
                self.scopes[child] = scopes = within[node]
                inner = isinstance(child, (*FUNCTIONS, ast.ClassDef))
                within[child] = (*scopes[-MOST_SCOPES:], child) if inner else scopes
        self.looked_up = 0

    @cached_property
    def bound(self) -> dict[ast.AST, set[str]]:
        """Return the names that each scope binds."""
        names: dict[ast.AST, set[str]] = {}
        for node in self.nodes[1:]:
            scopes = self.scopes[node]
            for name in _bound_by(node):
                names.setdefault(scopes[-1], set()).add(name)
        return names

    @cached_property
    def fields(self) -> frozenset[str]:
        """Return the names that parts of the file's own classes and named tuples may have."""
        inside = (self.bound.get(n, set()) for n in self.nodes if isinstance(n, ast.ClassDef))
        texts = {word for text in self.strings for word in text.split()[:50] if word.isidentifier()}
        return frozenset(texts).union(*inside)

    @cached_property
    def attributes(self) -> frozenset[str]:
        """Return the attributes that the file itself defines, and those that are known."""
        stored = {n.attr for n in self.nodes if isinstance(n, ast.Attribute) and _stores(n)}
        return ATTRIBUTES | ARRAY | stored | self.fields | set(IN_PYTHON_3.values())

    @cached_property
    def strings(self) -> list[str]:
        """Return the short texts of the file, as often as they occur."""
        values = (n.value for n in self.nodes if isinstance(n, ast.Constant))
        return [v for v in values if isinstance(v, str) and len(v) <= 200]

    @cached_property
    def keywords(self) -> frozenset[str]:
        """Return the keywords that calls may have."""
        own = {n.arg for n in self.nodes if isinstance(n, ast.arg)}
        return KEYWORDS_OF_CALLS | own | self.fields

    @cached_property
    def numpy(self) -> frozenset[str]:
        """Return the names that NumPy is imported under."""
        imports = (a for n in self.nodes if isinstance(n, ast.Import) for a in n.names)
        return frozenset(a.asname or a.name for a in imports if a.name == "numpy")

    def misspellings(self, lines: Set[int]) -> Iterator[Misspelling]:
        """Yield the misspelt words of the statements on some lines, and of all imports."""
        seen = set[str]()
        simple = (n for n in self.nodes if isinstance(n, ast.stmt) and not hasattr(n, "body"))
        around = [_lines_of(n) for n in simple if not lines.isdisjoint(_lines_of(n))]
        lines = set(lines).union(*around)
        for node in self.nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._of_import(node)
            elif self.looked_up > MOST_LOOKED_UP:
                return
            elif not lines.isdisjoint(_lines_of(node)) and (found := self._of(node)):
                word = found.rewritings[0][0][0].text
                if word not in seen:
                    seen.add(word)
                    yield found

    def _of(self, node: ast.AST) -> Misspelling | None:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                return self._of_name(node, name)
            case ast.Attribute(value=ast.Name(id=root), attr=name) if root in self.numpy:
                return self._read_as(_at_end(node), NUMPY)
            case ast.Attribute():
                return self._read_as(_at_end(node), self.attributes)
            case ast.keyword(arg=str(name)):
                return self._read_as(Word(node.lineno, node.col_offset, name), self.keywords)
            case ast.Subscript(slice=ast.Constant(value=str(key)) as constant):
                if key.isidentifier() and self.strings.count(key) == 1:
                    word = Word(constant.lineno, constant.col_offset + 1, key)
                    return self._read_as(word, frozenset(self.strings) - {key})
        return None

    def _read_as(self, word: Word, known: Set[str]) -> Misspelling | None:
        """A word as one of those that are known, unless it is one of them."""
        near = self._nearest(word.text, known) if word.text not in known else []
        return Misspelling(tuple(((word,), other) for other in near)) if near else None

    def _nearest(self, word: str, known: Set[str]) -> list[str]:
        self.looked_up += 1
        return [IN_PYTHON_3[word]] if word in IN_PYTHON_3 else nearest(word, known)

    def _of_name(self, node: ast.Name, name: str) -> Misspelling | None:
        scopes = self.scopes[node]
        seen = [s for s in scopes if not isinstance(s, ast.ClassDef) or s is scopes[-1]]
        known = set().union(*(self.bound.get(scope, set()) for scope in seen)) | WORDS_OF_PYTHON
        if name in known:
            return None
        together = list(self._run_together(name, known))
        near = self._nearest(name, known)
        if together:  # one sign was dropped, so no other word counts that is further away
            near = [*together, *(word for word in near if distance(word, name) == 1)]
        reads = tuple(_word(n) for n in self._reads(name) if self.scopes[n] == scopes)
        ways = []
        for other in near:
            stores = [n for n in self.nodes if isinstance(n, ast.Name) and n.id == other]
            idle = stores and not self._reads(other) and other not in WORDS_OF_PYTHON
            only = {n.id for n in stores} and not self._otherwise(other)
            ways.append((tuple(map(_word, stores)), name) if idle and only else (reads, other))
        return Misspelling(tuple(ways)) if ways else None

    def _run_together(self, name: str, known: Set[str]) -> Iterator[str]:
        """A name and its attribute without the dot, a keyword and its number without the sign."""
        for at in range(1, len(name)):
            head, tail = name[:at], name[at:]
            if head in known and tail in self.attributes:
                yield f"{head}.{tail}"
            if head in KEYWORDS_OF_CALLS and tail.isdecimal():
                yield f"{head}={tail}"

    def _reads(self, name: str) -> list[ast.Name]:
        names = (n for n in self.nodes if isinstance(n, ast.Name))
        return [n for n in names if n.id == name and isinstance(n.ctx, ast.Load)]

    def _otherwise(self, name: str) -> bool:
        """Return whether a name is bound by more than assignments."""
        others = (n for n in self.nodes if not isinstance(n, ast.Name))
        return any(name in _bound_by(node) for node in others)

    def _of_import(self, node: ast.Import | ast.ImportFrom) -> Iterator[Misspelling]:
        if isinstance(node, ast.ImportFrom):
            column = node.col_offset + len("from ")
            named = [Word(node.lineno, column, node.module)] if node.module else []
        else:
            named = [Word(a.lineno, a.col_offset, a.name) for a in node.names]
        for word in named:
            root = word.text.partition(".")[0]
            if root == "torch" or root not in MODULES | sys.stdlib_module_names:
                yield from filter(None, [self._read_as(word, MODULES)])


def _word(node: ast.Name) -> Word:
    return Word(node.lineno, node.col_offset, node.id)


def _at_end(node: ast.Attribute) -> Word:
    size = len(node.attr.encode())
    return Word(node.end_lineno or node.lineno, (node.end_col_offset or 0) - size, node.attr)


def _stores(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store)


def _lines_of(node: ast.AST) -> range:
    first = getattr(node, "lineno", 0)
    return range(first, (getattr(node, "end_lineno", None) or first) + 1)


def _bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from ((a.asname or a.name).partition(".")[0] for a in names)
        case ast.Global(names=globals_) | ast.Nonlocal(names=globals_):
            yield from globals_


def function_lines(data: bytes, line: int) -> range:
    """Return the lines of the innermost function around a line; the line alone outside of all."""
    tree = parsed(data)
    functions = [n for n in ast.walk(tree) if isinstance(n, FUNCTIONS)] if tree else []
    around = [_lines_of(n) for n in functions if line in _lines_of(n)]
    return min(around, key=len, default=range(line, line + 1))
