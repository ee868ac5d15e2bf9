"""A line of a short source, blamed: what the edits of a template make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from grader.defects.edits.blame import Blame
from grader.defects.edits.scope import Scopes
from grader.observe.reading import NamedTrace
from grader.observe.trace import Trace
from grader.source.edits import Edit, Text

FORWARD = "import numpy as np\ndef forward(X, y, W1, b1, W2, b2):\n    {}\n"
BACKWARD = """import numpy as np
def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    {}
    return dZ2, db1, dH1
"""
TORCH = "import torch\ndef torch_forward_backward(X, y, W1, b1, W2, b2):\n    {}\n"


def blame_of(
    source: str, first: int, last: int, *, torch: bool = False, named: NamedTrace | None = None
) -> Blame:
    """Return the blame of these lines; without `named` nothing was seen of any value."""
    text = Text(source.encode())
    unseen = NamedTrace(Trace(sources={"a.py": tuple(source.split("\n"))}), (), {}, {})
    scopes = Scopes(text, "solution.py" if named else "a.py", named or unseen, {})
    return Blame(text, scopes, tuple(text.statements(first, last)), torch)


def blamed(frame: str, line: str) -> Blame:
    """Return the blame of a line in a frame."""
    source = frame.format(line)
    at = source[: source.index(line)].count("\n") + 1
    return blame_of(source, at, at + line.count("\n"), torch=frame is TORCH)


def lines_after(blame: Blame, edits: Iterable[Edit], frame: str, line: str) -> list[str]:
    """Return the line as each of the edits leaves it."""
    start, rest = frame.format(line).index(line), frame.split("{}")[1]
    edited = [blame.text.applied([edit]).decode() for edit in edits]
    return [text[start : len(text) - len(rest)] for text in edited]


def made(operator: Callable[[Blame], Iterator[Edit]], frame: str, line: str) -> list[str]:
    """Return the line as each edit of one operator leaves it."""
    blame = blamed(frame, line)
    return lines_after(blame, operator(blame), frame, line)
