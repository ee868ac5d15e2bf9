"""A program can follow a cohort line by line."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from grader.cohort.outcomes import Graded
from grader.intake import Cohort
from grader.json_lines import JsonLines


def outcome(id: str, *, kept: bool = False, **facts: Any) -> Graded:
    document = {"status": "graded", "score": 80.0, "max_score": 100.0, "band": "hire", "checks": []}
    return Graded(id, document | facts, kept)


def test_programs_read_one_json_object_a_line() -> None:
    stream = io.StringIO()
    lines = JsonLines(stream)
    graded = [outcome("ada", kept=True), outcome("bob\u2028", status="undecided")]
    with lines.progress(2) as tell:
        for one in graded:
            tell(one)
    lines.cohort(graded, Path("out"))
    lines.left_out(Cohort("Canvas", (), ("eve\n",)))
    ada, bob, cohort, rest = map(json.loads, stream.getvalue().splitlines())
    assert (ada["event"], ada["id"], ada["kept"], ada["score"]) == ("submission", "ada", True, 80.0)
    assert (bob["id"], bob["status"], bob["done"], bob["total"]) == (
        "bob\u2028", "undecided", 2, 2
    )  # fmt: skip
    assert (cohort["submissions"], cohort["kept"], cohort["undecided"]) == (2, 1, 1)
    assert rest == {"event": "left-out", "layout": "Canvas", "names": ["eve\n"], "alike": []}
