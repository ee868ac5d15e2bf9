"""Lines of Python 2's as Python 3 reads them: one statement form for the other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.source.corrections.version import LineEdit, SlipKind

HEAD = r"^(?P<head>\s*+(?:(?:if|elif|else|for|while|try|except|finally)\b[^#\"']*:\s*)?)"
PRINT = re.compile(HEAD + r"print(?P<after>\s*>>\s*(?P<to>[\w.]+)\s*,?|\b)\s*(?P<rest>[^\s=(].*)?$")
EXEC = re.compile(HEAD + r"exec\s+(?P<rest>[\"'\w].*)$")
FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^(\s*except\s+[\w.()]+)\s*,\s*(\w+)\s*:"), r"\1 as \2:"),
    (re.compile(r"^(\s*raise\s+[\w.]+)\s*,\s*([^#]+?)\s*(#.*)?$"), r"\1(\2)"),
    (re.compile(r"<>"), "!="),
    (re.compile(r"`([^`'\"]+)`"), r"repr(\1)"),
    (re.compile(r"(?<![\w.])0+([0-7]+)\b(?!\.)"), r"0o\1"),
    (re.compile(r"(?<![\w.])(\d+)[lL]\b"), r"\1"),
    (re.compile(r"\b[uU][rR](?=[\"'])"), "r"),
)
MOST_LINES = 40
"""Lines of one statement."""


def modern(lines: Sequence[str], line: int) -> list[LineEdit]:
    """Return the edits of the statement that begins on a line; none where it is not Python 2's."""
    text = lines[line - 1]
    for form in (PRINT, EXEC):
        if (found := form.match(text)) and found["rest"]:
            return _called(lines, line, found)
        if found and form is PRINT and not found["after"].strip() and text.strip() == "print":
            return [LineEdit(line, text + "()", SlipKind.PYTHON2)]
    for form, now in FORMS:
        changed = form.sub(now, text)
        if changed != text:
            return [LineEdit(line, changed, SlipKind.PYTHON2)]
    return []


def _called(lines: Sequence[str], line: int, found: re.Match[str]) -> list[LineEdit]:
    """`print a, b` → `print(a, b)`, over as many lines as the statement has."""
    name = "exec" if found.re is EXEC else "print"
    start = found.start("rest")
    end = code_end(lines, line, start)
    if end is None:
        return []
    last, column = end
    more = f", file={found['to']}" if name == "print" and found["to"] else ""
    rows = {line: lines[line - 1]}
    rows[last] = lines[last - 1]
    tail, code = rows[last][column:], rows[last][:column]
    if name == "print" and code.endswith(","):
        code, more = code[:-1], f', end=" "{more}'
    rows[last] = f"{code}{more}){tail}"
    rows[line] = f"{found['head']}{name}({rows[line][start:]}"
    return [LineEdit(number, text, SlipKind.PYTHON2) for number, text in rows.items()]


def code_end(lines: Sequence[str], line: int, column: int) -> tuple[int, int] | None:
    """Return the line and column at which a statement's code ends; None where it does not.

    Brackets, strings and backslashes carry it on; a comment and a semicolon end it.
    """
    depth, quote = 0, ""
    for number in range(line, min(len(lines), line + MOST_LINES) + 1):
        text, at = lines[number - 1], column if number == line else 0
        while at < len(text):
            letter = text[at]
            if quote:
                if letter == "\\":
                    at += 1
                elif text.startswith(quote, at):
                    at += len(quote) - 1
                    quote = ""
            elif letter in "\"'":
                quote = letter * 3 if text.startswith(letter * 3, at) else letter
                at += len(quote) - 1
            elif letter == "#" or (letter == ";" and not depth):
                break
            else:
                depth += (letter in "([{") - (letter in ")]}")
            at += 1
        if not (depth or len(quote) == 3 or text.endswith("\\")):
            return None if quote else (number, len(text[:at].rstrip()))
    return None
