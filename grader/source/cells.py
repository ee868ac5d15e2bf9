"""The source of a file as it can be compiled: a notebook's without the cells that are no Python.

On the child's side.
"""

from __future__ import annotations

import ast
import re
import warnings
from types import CodeType
from typing import NamedTuple

CELL = re.compile(
    "^(?:from __future__ import [\\w, ]+  )?# ── cell (\\d+) ──$".encode(), re.MULTILINE
)
"""The line that stands before each cell of a notebook."""


class Note(NamedTuple):
    """What was raised at module level, and where; `of_cell` where one cell alone was left out."""

    file: str
    line: int
    kind: str
    text: str
    of_cell: bool = False


class Parser:
    """Parses each file once, for those who only read its tree."""

    def __init__(self) -> None:
        self._trees: dict[tuple[str, bytes], ast.Module] = {}

    def known(self, data: bytes, path: str) -> ast.Module | None:
        """Return the tree, if it was asked for before."""
        return self._trees.get((path, data))

    def tree(self, data: bytes, path: str) -> ast.Module:
        """Return what `parse` does, and the same tree for the same bytes."""
        key = (path, data)
        if key not in self._trees:
            self._trees[key] = parse(data, path)
        return self._trees[key]


def compile_source(data: bytes, path: str) -> CodeType:
    """Return the code of `data`, as `parse` has it."""
    return compile(_mended(data, path)[0], path, "exec", dont_inherit=True)


def parse(data: bytes, path: str) -> ast.Module:
    """Return the tree of `data`. Raises `SyntaxError`, but not for a single cell of a notebook."""
    return ast.parse(mended(data, path), path)


def mended(data: bytes, path: str) -> bytes:
    """Return `data` with the cells of a notebook blanked that do not compile."""
    return _mended(data, path)[0]


def notes_on(data: bytes, path: str) -> list[Note]:
    """Return a note for each cell that `mended` blanks."""
    return _mended(data, path)[1]


def _mended(data: bytes, path: str) -> tuple[bytes, list[Note]]:
    heads = list(CELL.finditer(data))
    if not heads or _parses(data):
        return data, []
    starts = [head.start() for head in heads]
    parts, notes = [data[: starts[0]]], []
    for head, end in zip(heads, [*starts[1:], len(data)], strict=True):
        cell = data[head.start() : end]
        try:
            _compiled(cell)
        except (SyntaxError, ValueError) as error:
            line = data.count(b"\n", 0, head.start()) + (getattr(error, "lineno", None) or 1)
            text = f"cell {head[1].decode()}: {getattr(error, 'msg', error)}"
            if not _awaits(cell):  # that is legal in Jupyter
                notes.append(Note(path, line, "SyntaxError", text, of_cell=True))
            cell = b"\n" * cell.count(b"\n")
        parts.append(cell)
    whole = b"".join(parts)
    return (whole, notes) if _parses(whole) else (data, [])


def _awaits(data: bytes) -> bool:
    """Return whether a cell would compile where `await` may stand at the top."""
    try:
        _compiled(data, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError):
        return False
    return True


def _compiled(data: bytes, flags: int = 0) -> None:
    """Raise `SyntaxError` for what does not run at the top of a file, such as a `return` there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the candidate's, told where the file is loaded
        compile(data, "cell", "exec", flags, dont_inherit=True)


def _parses(data: bytes) -> bool:
    try:
        _compiled(data)
    except (SyntaxError, ValueError):
        return False
    return True
