"""A notebook's code cells as one module."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from grader.errors import SubmissionError
from grader.limits import CELLS, PROSE_CHARACTERS, TEXT_CELLS

NO_PYTHON = re.compile(r"%%?[A-Za-z_]|[!?]")
"""How a line of IPython's own begins; a line may also go on with Python's `% values`."""

ASKED = re.compile(r"^[\w.]+\?\??\s*")
"""A line that asks for help: `np.sum?`."""

FROM_SHELL = re.compile(r"^(\s*)([\w.]+)\s*=\s*[!%][A-Za-z_]")
"""An assignment of what a shell command or a magic gives: `files = !ls`."""

WRITTEN = re.compile(r"^\s*%%(?:writefile|file)\s+(?:-a\s+)?[\"']?([\w./-]+\.py)[\"']?\s*")
"""The head of a cell that is written to a module."""

RUN_ALL_THE_SAME = ("%%time", "%%timeit", "%%capture", "%%prun", "%%memit")
FUTURE = re.compile(r"^from __future__ import ([\w, ]*\w)[ \t]*$", re.MULTILINE)
"""May stand in any cell; in a module it comes first."""

MAX_VALUES = 500_000
"""Values in a notebook's JSON; each takes memory of its own, however short it is."""


@dataclass(frozen=True, slots=True)
class Notebook:
    """The code cells as one module, and the modules that cells write (`%%writefile`), by path.

    `prose` are the text cells. `notes` say what of it is not used.
    """

    source: bytes
    written: tuple[tuple[str, bytes], ...] = ()
    cells: int = 0
    prose: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_notebook(data: bytes) -> Notebook:
    """Return all that a notebook holds. Raises `SubmissionError` when the file is no notebook."""
    _look_at(data)
    try:
        document = json.loads(data)
        sheets = document.get("worksheets")  # as notebooks were before 2015
        cells = document["cells"] if sheets is None else [c for s in sheets for c in s["cells"]]
        whole = [cell for cell in cells if isinstance(cell, dict)]
        codes = [_text(cell) for cell in whole if cell.get("cell_type") == "code"]
        prose = [_text(cell) or "" for cell in whole if cell.get("cell_type") == "markdown"]
        if (len(whole) < len(cells) or None in codes) and not any(codes):
            raise ValueError("no cell can be read")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SubmissionError("this is no notebook in JSON with cells") from error
    parts, written = list[str](), list[tuple[str, bytes]]()
    texts = [code or "" for code in codes]
    notes = _notes(texts, prose)
    for number, text in enumerate(texts[:CELLS], 1):
        if head := WRITTEN.fullmatch(text.partition("\n")[0]):
            path = PurePosixPath(head[1])
            if not path.is_absolute() and ".." not in path.parts:
                body = text.partition("\n")[2].encode("utf-8", "replace")
                written.append((path.as_posix(), body))
        parts.append(f"# ── cell {number} ──\n{_plain(text)}\n")
    source = _future_first("\n".join(parts)).encode("utf-8", "replace")
    return Notebook(source, tuple(written), len(codes), _of_size(prose), notes)


def _of_size(prose: Sequence[str]) -> tuple[str, ...]:
    """Return the text cells up to the limits."""
    room, kept = PROSE_CHARACTERS, list[str]()
    for text in prose[:TEXT_CELLS]:
        kept.append(text[:room])
        room -= len(text)
        if room <= 0:
            break
    return tuple(kept)


def _notes(codes: Sequence[str], prose: Sequence[str]) -> tuple[str, ...]:
    """Return in words what is beyond the limits."""
    notes = []
    if len(codes) > CELLS:
        notes.append(f"of {len(codes):,} code cells only the first {CELLS:,} run")
    if len(prose) > TEXT_CELLS or sum(map(len, prose)) > PROSE_CHARACTERS:
        most = f"{TEXT_CELLS} cells and {PROSE_CHARACTERS >> 10} kB"
        notes.append(f"of its {len(prose):,} text cells no more than {most} are read")
    return tuple(notes)


def _future_first(source: str) -> str:
    """Return `source` with its `from __future__ import …` in the first line, and no line more."""
    features = dict.fromkeys(f.strip() for row in FUTURE.findall(source) for f in row.split(","))
    if not features:
        return source
    rest = FUTURE.sub(lambda match: f"pass  # {match[0]}", source)
    return f"from __future__ import {', '.join(features)}  {rest}"


def _look_at(data: bytes) -> None:
    """Raises `SubmissionError` for what is known to be no notebook, with what to do about it."""
    start = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise SubmissionError(
            "this is a web page of a notebook, not the notebook: download it as .ipynb "
            "(in Jupyter, File, Download)"
        )
    if data.count(b",") + data.count(b"[") > MAX_VALUES:
        raise SubmissionError("this notebook has too much output: clear it, and save again")


def _text(cell: dict[str, Any]) -> str | None:
    """Return a cell's source, one string or its lines; None for a cell without any."""
    source = cell.get("source", cell.get("input"))
    if isinstance(source, str):
        return source
    return "".join(map(str, source)) if isinstance(source, list) else None


def _plain(cell: str) -> str:
    """Return a cell without what only IPython understands; the number of lines stays."""
    first, *rest = cell.split("\n")
    if not first.lstrip().startswith("%%"):
        return "\n".join(map(_plain_line, (first, *rest)))
    keep = first.lstrip().startswith(RUN_ALL_THE_SAME)
    return "\n".join(["# " + first, *(_plain_line(x) if keep else "# " + x for x in rest)])


def _plain_line(line: str) -> str:
    """Return `line`, or a comment when it is a magic, a shell command or a question."""
    code = line.lstrip()
    if NO_PYTHON.match(code) or ASKED.fullmatch(code):
        return f"{line[: len(line) - len(code)]}pass  # {code}"
    if shell := FROM_SHELL.match(line):
        return f"{shell[1]}{shell[2]} = None  # {code}"
    return line
