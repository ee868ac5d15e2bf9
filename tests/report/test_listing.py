"""The source: lines of defects and frames are marked, and a long one stays small."""

from __future__ import annotations

import re
from dataclasses import replace

from grader.records import Result, SourceFile
from grader.report import render_report


def test_lines_of_defects_and_frames_are_marked(usual: Result) -> None:
    html = render_report(usual, audience="interviewer")
    for anchor, tone in (("L29", "major"), ("L30", "major"), ("L37", "minor"), ("L10", "trace")):
        assert re.search(f'<div class="line {tone}(?: told)?" id="{anchor}">', html)


def test_a_real_size_source_stays_small(usual: Result) -> None:
    text = usual.submission.source * 3
    submission = replace(usual.submission, files=(SourceFile("solution.py", text.encode()),))
    html = render_report(replace(usual, submission=submission), audience="interviewer")
    assert len(html.encode()) < 200_000
