"""The clues of a short source, on the observations of a right answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grader.checks import View
from grader.defects.clues import Clues
from grader.observe.trace import Trace
from grader.records import Finding, SourceFile, Submission
from tests.checks.simulation import simulated


def clues_of(
    *sources: str,
    view: View | None = None,
    findings: Mapping[str, Finding] | None = None,
    torch_trace: Callable[[], Trace] = Trace,
) -> Clues:
    """Return what is known of the sources `solution.py`, `part1.py`, … without a fault found."""
    names = ("solution.py", *(f"part{i}.py" for i in range(1, len(sources))))
    files = [SourceFile(n, text.encode()) for n, text in zip(names, sources, strict=True)]
    one = Submission("id", "name", "sha256:0", tuple(files), "solution.py")
    return Clues(one, view or simulated(), findings or {}, (None, None), torch_trace)
