"""Encodings that are refused: those that no source can be read in, and two that take minutes.

Whoever parses a file, the judge too, has to decode it first, in the encoding that the
file itself names. All other text codecs take linear time.
"""

from __future__ import annotations

import codecs
import io
import re
import tokenize

SLOW = ("punycode", "idna")
"""Made for names of hosts; 2 MB of the first take Python's decoder ten minutes and more."""

DECLARED = re.compile(rb"coding[:=][ \t]*([-_.a-zA-Z0-9]+)")
MOST_DECLARED = 4
"""Of one line: Python takes the first, and each has to be looked up on the disk."""

COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)")
"""A comment by which Python goes (PEP 263)."""

BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")
LINE_END = re.compile(rb"\r\n|\r|\n")


def refused_encoding(data: bytes) -> str:
    """Return the encoding of a source that nobody may or can decode, "" for none."""
    return slow_encoding(data) or impossible_encoding(data)


def why_no_text(data: bytes) -> str:
    """Return why the bytes of a source are no text, in words; "" for text.

    Raises nothing: an encoding that nobody knows is told by `refused_encoding`.
    """
    if b"\0" in data:
        return "it holds null bytes, so it is no text in UTF-8"
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f"line {line} is no text in {error.encoding}"
    except (SyntaxError, LookupError):
        return "it is no text in UTF-8"
    return ""


def impossible_encoding(data: bytes) -> str:
    """Return the encoding that a comment names and Python cannot decode text with, "" for none.

    Nobody knows it, it is for bytes alone (`hex`), or it only raises (`undefined`).
    """
    for line in _first_lines(data):
        if declared := COOKIE.match(line):
            name = declared[1].decode("ascii")
            try:
                b"".decode(name)
                b"a".decode(name, "replace")
            except (LookupError, ValueError):  # `UnicodeError` is a ValueError
                return name
            return ""
        if not BLANK.match(line):
            return ""
    return ""


def _first_lines(data: bytes) -> list[bytes]:
    """Return the two lines in which an encoding may be named."""
    return LINE_END.split(data[: 1 << 16].removeprefix(codecs.BOM_UTF8), maxsplit=2)[:2]


def slow_encoding(data: bytes) -> str:
    """Return the slow encoding that one of the first two lines names, "" for none.

    Looks for more than Python does, which wants a comment: nobody writes this by accident.
    """
    for line in _first_lines(data):
        for declared in DECLARED.findall(line)[:MOST_DECLARED]:
            name = declared.decode("ascii")
            try:
                known = codecs.lookup(name).name
            except (LookupError, ValueError):
                continue  # Python will not know it either
            if known in SLOW:
                return known
    return ""
