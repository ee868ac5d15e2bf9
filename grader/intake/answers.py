"""The written answers to the five follow-up questions, wherever they were written.

In `answers.md`, in a notebook's text cells, in docstrings and comments. A heading that names
the question decides; text without a heading is matched by clear words only.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence

from grader.records import SourceFile, WrittenAnswer
from grader.source.parsing import parsed
from grader.source.program import text_of

HEADING = re.compile(r"^#{1,6}[ \t]++(.*)$", re.MULTILINE)
"""Its text ends in blanks and # that are not of it."""

NAMED = re.compile(
    r"^[\W_]*+(?:follow[ -]?up\s*+)?(?:answer\s++(?:to\s++)?)?(?:question|q)\s*+(?:[.#:]\s*+)?"
    r"([1-5])\b[\W_]*+",
    re.IGNORECASE,
)
"""`Q1`, `Question 3:`, `**Follow-up question 2**`, at the start of a line."""

NUMBERED = re.compile(r"^\W*([1-5])\s*[.):]")
"""`3. Backward twice`: of a heading only, for code is full of numbered lists."""

_WORDS = (
    (1, (r"\blayers?\b", r"\bupstream\b|^(?>.*?\bbackward\b).*\binput\b",
         r"reusab|sequential|generic")),
    (2, (r"\bmax(?:imum)?\b", r"softmax|\bexp\b", r"overflow|cancel|stable|unchanged|invarian")),
    (3, (r"zero_grad", r"accumulat|\badds?\b|doubl|\bsum\b", r"twice|second (?:call|backward)")),
    (4, (r"in-?place", r"version", r"autograd|\bsaved?\b|\bleaf\b")),
    (5, (r"finite[- ]differen|central differen|numerical grad", r"\bstep\b|\bepsilon\b|\bh\b",
         r"toleran|relative error|truncat|rounding")),
)  # fmt: skip
WORDS = tuple((n, tuple(re.compile(word, re.MULTILINE) for word in words)) for n, words in _WORDS)
"""Words of each question's answer. Two kinds of them, and more than of any other question."""

ENOUGH, ENOUGH_IN_CODE = 2, 3
LEAST_WORDS = 20
"""Of a docstring or comment that no heading names: less is a remark on the code."""

MOST, LONGEST = 40, 20_000
"""Answers of a submission, and characters of one: more is no answer."""

MOST_SECTIONS = 1_000
"""Headings of one text that part it; there are five questions."""


def written_answers(
    answers: str, cells: Sequence[str], code: Sequence[SourceFile]
) -> tuple[WrittenAnswer, ...]:
    """Return what was written, matched to the questions 1 to 5; text of `answers` and `cells`
    that belongs to none of them stands under 0, and so does what two could claim.

    `answers` are of at most `PROSE_CHARACTERS`, and so are all `cells` together.
    """
    answers_found = [
        *_of_text(answers, "answers.md"),
        *(a for cell in cells for a in _of_text(cell, "a text cell")),
        *(a for file in code for a in _of_code(file) if a.question),
    ]
    return tuple(answers_found[:MOST])


def _of_text(text: str, where: str) -> Iterator[WrittenAnswer]:
    """Yield the sections of a text by their headings; what precedes the first has none."""
    before, *rest = HEADING.split(text, maxsplit=MOST_SECTIONS)
    for heading, body in (("", before), *zip(rest[::2], rest[1::2], strict=True)):
        heading = heading.rstrip(" \t#")
        if heading:
            number = _named(heading, NAMED, NUMBERED) or _by_words(f"{heading}\n{body}")
            if not (number or body.strip()):
                continue  # the title of the whole
            yield WrittenAnswer(number, heading.strip(), body.strip()[:LONGEST], where)
        elif body.strip():
            yield from _of_block(body, where)


def _of_block(text: str, where: str, enough: int = ENOUGH) -> Iterator[WrittenAnswer]:
    """Yield a text without headings: parts that a line names, or else the whole by its words."""
    parts: list[tuple[int, list[str]]] = [(0, [])]
    for line in text.strip().splitlines():
        number = _named(line, NAMED)
        if number:
            parts.append((number, [NAMED.sub("", line, count=1)]))
        else:
            parts[-1][1].append(line)
    for number, lines in parts:
        body = "\n".join(lines).strip()
        if body:
            yield WrittenAnswer(number or _by_words(body, enough), "", body[:LONGEST], where)


def _of_code(file: SourceFile) -> Iterator[WrittenAnswer]:
    """Yield docstrings and comments that answer a question."""
    for line, text in (*_docstrings(file), *_comments(file)):
        yield from _of_remark(text, f"{file.path}, line {line}")


def _of_remark(text: str, where: str) -> Iterator[WrittenAnswer]:
    """Yield what a docstring or a comment answers, where it says enough or names the question."""
    named = any(_named(row, NAMED) for row in text.splitlines())
    if named or len(text.split()) >= LEAST_WORDS:
        yield from _of_block(text, where, ENOUGH_IN_CODE)


def _docstrings(file: SourceFile) -> Iterator[tuple[int, str]]:
    """Yield the strings that stand alone at module level, with their first line."""
    tree = parsed(file.data)
    for node in tree.body if tree else ():
        value = node.value if isinstance(node, ast.Expr) else None
        if value is not None and (text := text_of(value)) is not None:
            yield value.lineno, text


def _comments(file: SourceFile) -> Iterator[tuple[int, str]]:
    """Yield comments of their own that follow each other, as one text."""
    if not any(a.question for text in _remarks(file.data) for a in _of_remark(text, "")):
        return  # tokenizing takes longer than all else of the intake
    first, rows = 0, list[str]()
    try:
        for token in tokenize.tokenize(io.BytesIO(file.data).readline):
            whole = token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
            if whole and rows and token.start[0] == first + len(rows):
                rows.append(_uncommented(token.string))
            elif whole:
                if rows:
                    yield first, "\n".join(rows)
                first, rows = token.start[0], [_uncommented(token.string)]
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass  # what was read until then
    if rows:
        yield first, "\n".join(rows)


def _remarks(data: bytes) -> Iterator[str]:
    """Yield what `_comments` may find, seen as lines."""
    rows = list[str]()
    for line in (*data.decode("utf-8", "replace").split("\n"), ""):
        if (text := line.strip()).startswith("#"):
            rows.append(_uncommented(text))
        elif rows:
            yield "\n".join(rows)
            rows = []


def _uncommented(comment: str) -> str:
    return comment.lstrip("#").removeprefix(" ")


def _named(line: str, *patterns: re.Pattern[str]) -> int:
    """Return the question that a line names, 0 for none."""
    return next((int(m[1]) for p in patterns if (m := p.match(line.strip()))), 0)


def _by_words(text: str, enough: int = ENOUGH) -> int:
    """Return the one question of which a text has enough words, 0 where none or two have."""
    low = text.lower()
    counts = {n: sum(bool(w.search(low)) for w in words) for n, words in WORDS}
    best = max(counts.values())
    claimed = [number for number, count in counts.items() if count == best]
    return claimed[0] if best >= enough and len(claimed) == 1 else 0
