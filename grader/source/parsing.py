"""Source text → syntax tree, one thread at a time.

CPython up to 3.12 counts the depth of the tree that it builds in a variable that all
threads share. Collecting garbage in the middle of it can let another thread go on;
when that one parses as well, a file that is fine ends in `SystemError: AST constructor
recursion depth mismatch`. Threads may share an engine, so every parse of the judge's
goes through this lock; it is held for a few milliseconds. (A child has a single
thread, and parses without it.)
"""

from __future__ import annotations

import ast
import io
import re
import threading
import tokenize
import warnings

UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What the parser raises for what is no Python, or too deep."""

_ALONE = threading.Lock()


def parse(source: str | bytes, path: str = "<unknown>") -> ast.Module:
    """Return the tree of a file. Raises what `ast.parse` does."""
    with _ALONE:
        return ast.parse(source, path)


def parsed(source: str | bytes) -> ast.Module | None:
    """Return the tree of a file without a warning, or None for what does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parse(source)
    except UNPARSABLE:
        return None


def parse_expression(text: str) -> ast.expr:
    """Return the tree of one expression. Raises what `ast.parse` does."""
    with _ALONE:
        return ast.parse(text, mode="eval").body


def source_lines(data: bytes) -> tuple[str, ...]:
    """Return a file's lines as Python's parser counts them: form feeds and the like end none."""
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        text = data.decode(encoding, "replace")
    except (SyntaxError, LookupError, UnicodeError):
        text = data.decode("utf-8", "replace")
    return tuple(re.split(r"\r\n|\r|\n", text))
