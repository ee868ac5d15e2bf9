"""What a child reports is taken only if it is of the type that was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.child.reports import CallReport, DefinitionReport, LoadReport, Tolerance, to_json
from grader.observe.replies import MAX_FRAMES, read_frames, read_report
from grader.records import Frame
from grader.source.cells import Note


def test_what_was_written_is_read() -> None:
    report = LoadReport(
        (DefinitionReport("f", 3, is_stub=True),), (Note("a.py", 1, "E", "é\n"),), ("t",)
    )
    assert read_report({"report": to_json(report)}, LoadReport) == report
    limit = Tolerance("W1", 0.1, float("inf"))
    assert read_report({"report": to_json(limit)}, Tolerance) == limit


def test_half_a_surrogate_pair_is_a_question_mark() -> None:
    report = CallReport("\ud800", problems={"W1": "\udfff"})
    assert read_report({"report": to_json(report)}, CallReport) == CallReport(
        "?", problems={"W1": "?"}
    )


@pytest.mark.parametrize(
    "fields",
    [{"loss_type": 3}, {"lossless": 1}, {"paths": "x"}, {"paths": ["p"] * 65}, {"problems": []},
     {"loss_type": "x" * 201}, {"layers": [{"kind": "x" * 201}]}, {"failures": {"a": None}}],
)  # fmt: skip
def test_a_field_of_another_type_spoils_the_report(fields: dict[str, Any]) -> None:
    assert read_report({"report": json.dumps(fields)}, CallReport) is None
    assert read_report({"report": "{}"}, CallReport) == CallReport()


def test_frames_are_lines_of_a_traceback() -> None:
    rows: list[Any] = [{"file": "a.py", "line": n, "function": "f"} for n in range(99)]
    frames = read_frames({"frames": json.dumps(rows)})
    assert len(frames) == MAX_FRAMES and frames[-1] == Frame("a.py", 98, "f")
    for wrong in ({"line": -1}, {"line": 10**9}, {"line": "3"}, {"file": None}):
        assert read_frames({"frames": json.dumps([rows[1] | wrong])}) == ()
    assert read_frames({"frames": "a.py:3:f"}) == read_frames({}) == ()
