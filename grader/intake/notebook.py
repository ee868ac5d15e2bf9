"""A notebook's code cells as one module."""

from __future__ import annotations

import json
import re
from typing import Any

from grader.errors import SubmissionError

NO_PYTHON = re.compile(r"%%?[A-Za-z_]|[!?]")
"""How a line of IPython's own begins; a line may also go on with Python's `% values`."""


def notebook_source(data: bytes) -> bytes:
    """The code cells of an `.ipynb` in order, magics and shell lines as comments.

    Raises `SubmissionError` when the file is no notebook.
    """
    try:
        cells = json.loads(data)["cells"]
        codes = [_text(c["source"]) for c in cells if c.get("cell_type") == "code"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SubmissionError("this is no notebook in JSON with cells") from error
    parts = []
    for number, text in enumerate(codes, 1):
        parts.append(f"# ── cell {number} ──\n{_plain(text)}\n")
    return "\n".join(parts).encode("utf-8", "replace")


def _text(source: Any) -> str:
    """A cell's source: one string, or its lines."""
    return source if isinstance(source, str) else "".join(map(str, source))


def _plain(cell: str) -> str:
    """A cell without what only IPython understands; the number of lines stays."""
    first, *rest = cell.split("\n")
    if not first.lstrip().startswith("%%"):
        return "\n".join(map(_plain_line, (first, *rest)))
    keep = first.lstrip().startswith(("%%time", "%%timeit", "%%capture"))
    return "\n".join(["# " + first, *(_plain_line(x) if keep else "# " + x for x in rest)])


def _plain_line(line: str) -> str:
    """`line`, or a comment when it is a magic, a shell command or a question."""
    code = line.lstrip()
    return f"{line[: len(line) - len(code)]}pass  # {code}" if NO_PYTHON.match(code) else line
