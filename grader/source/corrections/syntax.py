"""The search for the smallest edits after which a text parses."""

from __future__ import annotations

import ast
import re
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from grader.source.corrections.proposals import edits_of, plain_characters
from grader.source.corrections.python2 import modern
from grader.source.corrections.version import LineEdit, SlipKind, Version
from grader.source.parsing import UNPARSABLE, parse

MOST_BYTES = 32 << 10
"""Of a file; the largest of the shipped answers has 5 kB. No text of this size takes Python's
parser 0.1 s."""

MOST_EDITS = 3
"""Edits that are tried together. Four slips are no slip."""

MECHANICAL = 60
"""Lines that may be written in Python 2's form, or with a word processor's signs."""

SECONDS = 0.8
"""Processor time of the searches in one submission, looked at between two parses. One slip takes
0.02 to 0.4 s."""

ABOVE, BELOW = 3, 1
"""Lines with code, above and below the one that Python names, that are edited."""

STATES = 12
"""Different ways past the first of several slips, that are followed."""

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IDLE = (
    *(ast.Tuple, ast.List, ast.Set, ast.Dict, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare),
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Starred),
)
"""Expressions that do nothing as a statement."""

DEFINED = re.compile(r"^[ \t]*(?:async )?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
BEGINS = re.compile(r"[^\W\d]|[@\"']")
TRIPLE = ('"""', "'''")
TABS = (4, 8)

STARTS = 10
"""Lines at which a block may begin, that are tried: one may stand in a text."""

FAR = 80
"""Lines from the one that Python names, at which a text of several lines may have to end."""


@dataclass
class SyntaxSearch:
    """The versions of a text that parse: `found` after as few edits as any, different as trees.

    `cut_short`: there may be others, for the time or the room was up.
    """

    seconds: float = SECONDS
    found: list[Version] = field(default_factory=list)
    cut_short: bool = False

    def run(self, version: Version) -> None:
        """Search from `version`, which does not parse."""
        try:
            self._search(version)
        except RecursionError:  # Python's parser goes deeper than what reads its trees
            self.found, self.cut_short = [], True

    def _search(self, version: Version) -> None:
        self.until = time.thread_time() + self.seconds
        states = [version]
        for _ in range(MOST_EDITS):
            trees: dict[str, Version] = {}
            further: dict[str, Version] = {}
            for state in states:
                self._step(state, trees, further)
            if trees or self.cut_short:
                self.found = list(trees.values())
                return
            if len(further) > STATES:
                self.cut_short = True
                return
            states = list(further.values())

    @property
    def left(self) -> float:
        """Return the seconds that were not used."""
        return max(0.0, self.until - time.thread_time())

    def _step(self, state: Version, trees: dict[str, Version], further: dict[str, Version]) -> None:
        """Sort the versions one edit away into those that parse and those that parse further."""
        state = mechanical(state, self.until)
        line = error_line(state.text)
        if line is None:
            self._keep(state, trees)
            return
        blocks: dict[tuple[int, int], tuple[int, int]] = {}
        for edits in _proposals(state.lines, line):
            if time.thread_time() > self.until:
                self.cut_short = True
                return
            after = state.edited(*edits)
            around = min(line, edits[0].line), max(line, edits[0].line)
            if around not in blocks:
                blocks[around] = block(state.lines, *around)
            first, last = blocks[around]
            within = len(edits) == 1
            chunk = "\n".join(after.lines[first - 1 : last]) if within else after.text
            if error_line(chunk) is not None:
                continue
            after = mechanical(after, self.until)
            if error_line(after.text) is None:
                self._keep(after, trees)
            elif within:
                further.setdefault(meaning(parse(chunk)), after)

    def _keep(self, version: Version, trees: dict[str, Version]) -> None:
        """Keep a version that parses, unless an edit took a definition or a statement away."""
        tree = parse(version.text)
        defined = {n.name for n in ast.walk(tree) if isinstance(n, DEFINITIONS)}
        edited = {edit.line for edit in version.edits}
        idle = _idle(tree)
        lost = any(n.lineno <= at <= (n.end_lineno or 0) for n in idle for at in edited)
        if set(DEFINED.findall(version.text)) <= defined and not lost:
            trees.setdefault(meaning(tree), version)


def mechanical(version: Version, until: float) -> Version:
    """Return `version` with the forms that have one reading only, as far as those lead.

    `until` is the processor time at which no more of them are looked for.
    """
    for _ in range(MECHANICAL):
        if time.thread_time() > until:
            return version
        line = error_line(version.text)
        if line is None:
            return version
        edits: list[LineEdit] = []
        for near in window(version.lines, line)[:2]:
            text = version.lines[near - 1]
            plain = plain_characters(text)
            edits = modern(version.lines, near)
            if plain != text and not edits:
                edits = [LineEdit(near, plain, SlipKind.CHARACTERS)]
            if edits:
                break
        after = version.edited(*edits, size=0)
        if not edits or (error_line(after.text) or len(after.lines) + 1) <= line:
            return version
        version = after
    return version


def error_line(text: str) -> int | None:
    """Return the line at which Python ends to read a text; None where it reads all of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse(text)
    except SyntaxError as error:
        return max(1, min(error.lineno or 1, text.count("\n") + 1))
    except UNPARSABLE:
        return 1
    return None


def meaning(tree: ast.Module) -> str:
    """Return what tells two texts apart that parse: their trees without docstrings."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [s for s in body if not _is_text(s)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    constant = node.value if isinstance(node, ast.Expr) else None
    return isinstance(constant, ast.Constant) and isinstance(constant.value, str)


def window(lines: Sequence[str], line: int) -> list[int]:
    """Return the lines with code around the one that Python names, the nearest first.

    And the last one before what comes at module level: there ends what is never closed.
    """
    above = [n for n in range(line - 1, 0, -1) if _is_code(lines[n - 1])][:ABOVE]
    below = [n for n in range(line + 1, len(lines) + 1) if _is_code(lines[n - 1])][:BELOW]
    after = next((n for n in range(line + 1, len(lines) + 1) if BEGINS.match(lines[n - 1])), None)
    ahead = range((after or len(lines) + 1) - 1, line, -1)
    last = [n for n in ahead if _is_code(lines[n - 1])][:1]
    return list(dict.fromkeys([line, *above, *below, *last]))


def _idle(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements that do nothing: what is computed goes nowhere."""
    fields = {s for n in ast.walk(tree) if isinstance(n, ast.ClassDef) for s in n.body}
    return [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.Expr) and isinstance(node.value, IDLE))
        or (isinstance(node, ast.AnnAssign) and node.value is None and node not in fields)
    ]


def _is_code(text: str) -> bool:
    return bool(text.strip()) and not text.lstrip().startswith("#")


def block(lines: Sequence[str], first: int, last: int) -> tuple[int, int]:
    """Return the first and the last line of the statements at module level around some lines."""
    last += 1
    starts = [n for n in range(first, 0, -1) if BEGINS.match(lines[n - 1])]
    for first in starts[:STARTS]:
        if error_line("\n".join(lines[: first - 1])) is None:
            break
    else:
        first = 1
    while last <= len(lines) and not BEGINS.match(lines[last - 1]):
        last += 1
    return first, last - 1


def _proposals(lines: Sequence[str], line: int) -> Iterator[Sequence[LineEdit]]:
    yield from _untabbed(lines)
    for near in window(lines, line):
        yield from ((edit,) for edit in edits_of(lines, near))
        yield from ((edit,) for edit in _closed(lines, near))
    yield from ((edit,) for edit in _ended_texts(lines, line))


def _ended_texts(lines: Sequence[str], line: int) -> Iterator[LineEdit]:
    """The lines around, each with the end of a text of several lines after it."""
    for near in range(max(1, line - FAR), min(len(lines), line + FAR) + 1):
        row = lines[near - 1]
        for quote in (q for q in TRIPLE if any(q in text for text in lines)):
            missing = quote[: 3 - (len(row) - len(row.rstrip(quote[0])))]
            yield LineEdit(near, row + (missing or quote), SlipKind.PUNCTUATION)


def _closed(lines: Sequence[str], line: int) -> Iterator[LineEdit]:
    """The line with several closing brackets at its end, as where a text was cut off."""
    text = lines[line - 1].rstrip()
    if line == max((n for n, row in enumerate(lines, 1) if row.strip()), default=0):
        for signs in ("))", "])", ")]", "})", ")}", ")))", "]))", "}))"):
            yield LineEdit(line, text + signs, SlipKind.PUNCTUATION)


def _untabbed(lines: Sequence[str]) -> Iterator[Sequence[LineEdit]]:
    """All indents with spaces in the place of tabs."""
    for width in TABS:
        rows = [(n, row, _spaced(row, width)) for n, row in enumerate(lines, 1)]
        edits = [LineEdit(n, new, SlipKind.INDENT) for n, row, new in rows if new != row]
        if edits:
            yield edits


def _spaced(text: str, width: int) -> str:
    code = text.lstrip()
    return text[: len(text) - len(code)].expandtabs(width) + code
