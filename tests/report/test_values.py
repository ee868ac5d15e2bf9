"""What stands beside the source: shown where it belongs, quiet where right, linked where wrong."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from grader.records import Result, Standing
from grader.report import render_report
from grader.report.defects import defect_views
from grader.report.listing import Value
from grader.report.values import values_beside


def beside(result: Result) -> dict[int, tuple[Value, ...]]:
    defects = {view.defect.code: view for view in reversed(defect_views(result))}
    return {line: values for (_, line), values in values_beside(result, defects).items()}


def test_tensor_and_shape_stand_beside_their_line(usual: Result) -> None:
    shown = beside(usual)
    assert shown[15] == (Value("right", "Z1", "[B, H]"),)
    assert shown[19] == (Value("right", "loss", "scalar"),)
    assert shown[36] == (Value("unseen", "", "[B, H]"),)


def test_what_follows_links_to_the_line_of_its_cause(usual: Result) -> None:
    assert beside(usual)[32] == (Value("follows", "B·dW2", "[H, C]", "line 29", "#L29"),)


def test_on_the_defects_own_line_its_note_says_enough(usual: Result) -> None:
    assert beside(usual)[29] == (Value("wrong", "P - onehot", "[B, C]"),)


def test_without_a_line_the_defect_itself_is_linked(usual: Result) -> None:
    defects = tuple(replace(d, line=None) for d in usual.defects)
    (value,) = beside(replace(usual, defects=defects))[32]
    assert (value.why, value.href) == ("batch-mean-missing", "#defect-batch-mean-missing")


def test_the_same_value_stands_there_once(usual: Result) -> None:
    twice = [replace(a, phase="backward") for a in usual.annotations if a.line == 15]
    shown = beside(replace(usual, annotations=(*usual.annotations, *twice)))
    assert len(shown[15]) == 1


@pytest.mark.parametrize("audience", ["interviewer", "candidate"])
def test_the_listing_shows_it_and_can_hide_it_without_a_script(
    usual: Result, audience: str
) -> None:
    html = render_report(usual, audience=audience)  # type: ignore[arg-type]
    line = re.search(r'<div class="line told" id="L15">(.*?)</div>', html)
    assert line
    assert line[1].endswith('<span class="is"><span class="right">Z1 <i>[B, H]</i></span></span>')
    wrong = re.search(r'id="L29">.*?<span class="wrong"><b>✗.*?wrong here.*?</b>', html)
    assert wrong
    assert '<input type="checkbox" id="beside" class="switch" checked>' in html
    assert ".switch:not(:checked) ~ .file .is { display: none; }" in html
    assert html.index('id="beside"') < html.index('class="file"')


def test_without_a_trace_there_is_no_switch(usual: Result) -> None:
    html = render_report(replace(usual, annotations=()), audience="candidate")
    assert 'id="beside"' not in html
    assert 'class="is"' not in html


def test_an_annotation_of_a_file_that_is_not_shown_goes_nowhere(usual: Result) -> None:
    lost = replace(usual.annotations[0], file="gone.py", tensor="GONE", right=Standing.RIGHT)
    assert "GONE" not in render_report(replace(usual, annotations=(lost,)), audience="candidate")
