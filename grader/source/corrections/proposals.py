"""The single edits of a line that carry no idea of the candidate's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from keyword import kwlist

from grader.source.corrections.spelling import distance, nearest
from grader.source.corrections.version import LineEdit, SlipKind

BRACKETS = "()[]{}"
INSERTED = (")", "]", "}", "(", "[", "{", ":", ",", '"', "'", '"""', "'''")
SIGNS = ",.:;"
OPERATORS = ("@", "*", "+", "-")
DROPPED = frozenset(BRACKETS + SIGNS + "\"'`$?!")
PIECE = re.compile(r"\w+|[^\w\s]")
WORD = re.compile(r"[^\W\d]\w*")
INSIDE = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")
WORDLIKE = re.compile(r"[\w\"']+")
EQUALS = re.compile(r"(?<![=<>!+\-*/%@&|^:~])=(?!=)")
WRITTEN_OTHERWISE = {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "′": "'", "−": "-", "–": "-"}
"""Signs of a word processor's; the compatibility forms of Unicode have the rest."""

LEVEL = "    "
INDENTS = 40
"""Lines above, whose indents are known."""

MOST_CHARACTERS = 300
"""Of a line that is edited; nobody's slip is looked for in a longer one."""


def plain_characters(text: str) -> str:
    """Return a line with each sign that Python does not know as the one that it knows."""
    return "".join(map(_plain, text))


def _plain(letter: str) -> str:
    if letter.isascii():
        return "" if unicodedata.category(letter) == "Cc" and letter != "\t" else letter
    if unicodedata.category(letter) == "Cf":
        return ""
    known = WRITTEN_OTHERWISE.get(letter) or unicodedata.normalize("NFKC", letter)
    return known if known.isascii() else letter


def edits_of(lines: Sequence[str], line: int) -> Iterator[LineEdit]:
    """Yield the edits of a line, each once."""
    text = lines[line - 1]
    if len(text) > MOST_CHARACTERS or not text.strip():
        return
    seen = {text}
    for slip, changed in _edits(text, lines, line):
        if changed not in seen:
            seen.add(changed)
            yield LineEdit(line, changed, slip)


def _edits(text: str, lines: Sequence[str], line: int) -> Iterator[tuple[SlipKind, str]]:
    for changed in _reindented(text, lines, line):
        yield SlipKind.INDENT, changed
    for word in WORD.finditer(text):
        first = not text[: word.start()].strip()
        for right in _keywords(word[0], short=first) if word[0] not in kwlist else ():
            yield SlipKind.KEYWORD, text[: word.start()] + right + text[word.end() :]
    for changed in _punctuated(text, frozenset(WORD.findall(" ".join(lines)))):
        yield SlipKind.PUNCTUATION, changed
    for at in _places(text):
        yield from ((SlipKind.OPERATOR, text[:at] + sign + text[at:]) for sign in OPERATORS)


def _keywords(word: str, *, short: bool) -> list[str]:
    """The keywords that a word is nearest to; one of two letters where a statement begins."""
    if short and len(word) == 2:
        return [k for k in kwlist if distance(word, k) == 1]
    return nearest(word, kwlist)


def _punctuated(text: str, known: Set[str]) -> Iterator[str]:
    """`known` are the words of the text; dropping a sign makes no other of two words."""
    for sign in EQUALS.finditer(text):
        yield f"{text[: sign.start()]}=={text[sign.end() :]}"
    for at, letter in enumerate(text):
        before, after = text[:at], text[at + 1 :]
        head, tail = WORDLIKE.match(before[::-1]), WORDLIKE.match(after)
        joined = head[0][::-1] + tail[0] if head and tail else ""
        if (not joined or joined in known or joined in kwlist) and (
            letter in DROPPED or not (letter.isascii() or letter.isalnum())
        ):
            yield before + after
        if letter in BRACKETS:
            yield from (before + other + after for other in BRACKETS)
        if letter in SIGNS:
            yield from (before + other + after for other in ",:")
    outside = text
    while (less := INSIDE.sub("", outside)) != outside:
        outside = less
    assigned = "=" in outside
    for at in _places(text):
        yield from (text[:at] + sign + text[at:] for sign in INSERTED)
        if not assigned:
            yield f"{text[:at]}={text[at:]}"
    for word in WORD.finditer(text):
        for at in range(word.start() + 1, word.end()):
            yield from (text[:at] + sign + text[at:] for sign in "([")


def _places(text: str) -> list[int]:
    """Where words and signs begin and end, the last first."""
    return sorted({p for piece in PIECE.finditer(text) for p in piece.span()}, reverse=True)


def _reindented(text: str, lines: Sequence[str], line: int) -> Iterator[str]:
    """The indents of other lines that are nearest to this one's, and a level more than those."""
    code = text.lstrip()
    near = [*lines[max(0, line - INDENTS) : line - 1], *lines[line : line + 3]]
    known = {row[: len(row) - len(row.lstrip())] for row in near if row.strip()}
    known |= {indent + LEVEL for indent in known}
    known.discard(text[: len(text) - len(code)])
    width = len(_wide(text)) - len(code)
    away = {indent: abs(len(_wide(indent)) - width) for indent in known}
    least = min(away.values(), default=0)
    yield from (indent + code for indent in sorted(known) if away[indent] == least)


def _wide(text: str) -> str:
    return text.expandtabs(len(LEVEL))
