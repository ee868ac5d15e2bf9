"""The source: lines of defects and frames are marked, and a long one stays small."""

from __future__ import annotations

import re
from dataclasses import replace

from grader.limits import PAGE_CHARACTERS, PAGE_LINES, PAGE_SOURCE
from grader.records import Result, SourceFile, Submission
from grader.report import render_report
from grader.report.listing import highlighted, listings


def test_lines_of_defects_and_frames_are_marked(usual: Result) -> None:
    html = render_report(usual, audience="interviewer")
    for anchor, tone in (("L29", "major"), ("L30", "major"), ("L37", "minor"), ("L10", "trace")):
        assert re.search(f'<div class="line {tone}(?: told)?" id="{anchor}">', html)


def test_a_real_size_source_stays_small(usual: Result) -> None:
    text = usual.submission.source * 3
    submission = replace(usual.submission, files=(SourceFile("solution.py", text.encode()),))
    html = render_report(replace(usual, submission=submission), audience="interviewer")
    assert len(html.encode()) < 200_000


def submission(*texts: str, unread: tuple[str, ...] = ()) -> Submission:
    files = tuple(SourceFile(f"f{i}.py", text.encode()) for i, text in enumerate(texts))
    return Submission("a", "a", "", files, "f0.py", unread=unread)


def test_lines_are_counted_over_all_files() -> None:
    shown = listings(submission("x\n" * (PAGE_LINES - 10), "y\n" * 100), (), {})
    assert [len(listing.lines) for listing in shown] == [PAGE_LINES - 10, 10]
    assert shown[1].left_out > 0


def test_characters_are_counted_over_all_files() -> None:
    shown = listings(submission(*["x" * 2 * PAGE_CHARACTERS] * 4), (), {})
    assert sum(len(line.html) for listing in shown for line in listing.lines) == PAGE_SOURCE
    assert shown[0].left_out == PAGE_CHARACTERS


def test_what_is_not_read_has_no_colours_and_is_escaped() -> None:
    [listing] = listings(submission("def f(): return '<b>'\n", unread=("f0.py",)), (), {})
    assert listing.lines[0].html == "def f(): return &#39;&lt;b&gt;&#39;"


def test_lines_of_blanks_are_as_many_and_cost_nothing() -> None:
    assert highlighted("x\n" + " \n" * 9_000 + "y") == highlighted("x\n" + "\n" * 9_000 + "y")
