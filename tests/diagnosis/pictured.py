"""Submissions made from the reference by replacing lines, graded by a real engine."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from grader.bundled import bundled
from grader.cohort import Engine
from grader.intake import take_in
from grader.records import GraphNode, Result, SourceFile, Standing, Submission

ROOT = Path(__file__).parents[2]

TRIES = 3

MARKS = {
    Standing.RIGHT: "✓",
    Standing.WRONG: "✗",
    Standing.FOLLOWS: "↳",
    Standing.UNSEEN: "·",
    Standing.GIVEN: " ",
}


@cache
def graded(engine: Engine, name: str) -> Result:
    """One of the sample submissions, or the reference; again where no trace could be taken.

    A busy machine may starve the child that traces; here it matters what is made of a trace.
    """
    folder = bundled("reference") if name == "reference" else ROOT / "submissions" / name
    submission = take_in(folder)
    for _ in range(TRIES):
        result = engine.grade(submission)
        if result.annotations:
            break
    return result


def variant(*changes: tuple[str, str]) -> Submission:
    """The reference with pieces of its source replaced, each of which must be there once."""
    submission = take_in(bundled("reference"))
    text = submission.source
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = SourceFile(submission.main, text.encode())
    return replace(submission, id="variant", files=(file,))


def nodes(result: Result, part: str = "numpy") -> dict[str, GraphNode]:
    """The nodes of one part by name."""
    return {node.name: node for node in result.graph if node.part == part}


def drawn(result: Result, part: str = "numpy") -> str:
    """The computed tensors with their marks, in order: `✓Z1 ✓H1 …`."""
    found = [n for n in result.graph if n.part == part and n.status is not Standing.GIVEN]
    return " ".join(f"{MARKS[n.status]}{n.name}" for n in found)


def beside(result: Result, text: str) -> list[str]:
    """What stands beside the one line that holds `text`, with marks for what is wrong."""
    lines = result.submission.source.split("\n")
    (number,) = [i for i, line in enumerate(lines, start=1) if text in line]
    told = [a for a in result.annotations if a.line == number]
    quiet = (Standing.RIGHT, Standing.UNSEEN)
    return [
        f"{'' if a.right in quiet else MARKS[a.right]}{a.tensor} {a.shape}".strip() for a in told
    ]
