"""The network drawn and in words: each defect has its number, and what follows from it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from grader.records import Result, Standing
from grader.report import render_report
from grader.report.graph import panels
from tests.report.drawings import ANCHORS, boxes


def test_defects_are_numbered_and_say_what_follows(usual: Result) -> None:
    numpy, torch = panels(usual, ANCHORS)
    first, second = numpy.causes
    assert (first.number, first.code, first.href) == (
        *(1, "batch-mean-missing", "#defect-batch-mean-missing"),
    )
    assert (first.wrong, first.lines) == (("dZ2",), (("line 29", "#L29"),))
    assert first.follow == ("dW2", "db2", "dH1", "dW1", "db1", "dX")
    assert (second.number, second.href, second.wrong) == (2, "", ("dZ1",))
    assert boxes(numpy.drawings[0])["dW1"].causes == "1 2"
    assert torch.causes == ()
    assert numpy.summary == "1 of the 6 tensors that the judge compared are right."
    assert torch.summary == "All 6 tensors that the judge compared are right."


def test_a_wrong_tensor_without_a_named_defect_is_numbered_too(usual: Result) -> None:
    graph = tuple(
        replace(n, status=Standing.WRONG, note="at sizes of 1") if n.name == "loss" else n
        for n in usual.graph
    )
    causes = panels(replace(usual, graph=graph), ANCHORS)[0].causes
    assert [(c.code, c.wrong) for c in causes if not c.code] == [("", ("loss at sizes of 1",))]


def test_nothing_seen_draws_nothing(usual: Result, undecided: Result) -> None:
    assert panels(replace(usual, graph=()), ANCHORS) == ()
    only = replace(usual, graph=tuple(n for n in usual.graph if n.part == "torch"))
    assert [p.part for p in panels(only, ANCHORS)] == ["torch"]
    assert (
        "<svg class=" not in render_report(undecided, audience="interviewer").partition("Parts")[0]
    )


@pytest.mark.parametrize("audience", ["interviewer", "candidate"])
def test_status_is_told_by_shape_and_words_and_not_by_colour_alone(
    usual: Result, audience: str
) -> None:
    html = render_report(usual, audience=audience)  # type: ignore[arg-type]
    drawings = re.findall(r'<svg class="graph.*?</svg>', html, re.DOTALL)
    assert len(drawings) == 4
    for svg in drawings:
        title = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', svg)
        assert title
        assert f'<title id="{title[1]}">' in svg
        assert f'<desc id="{title[2]}">' in svg
        assert " style=" not in svg
        marked = re.findall(r'<g class="node (right|wrong|follows)', svg)
        assert svg.count('class="badge"') == len(marked) > 0
    wrong = re.search(r'<g class="node wrong hearsay".*?<path d="(.*?)"', drawings[0], re.DOTALL)
    right = re.search(r'<g class="node right hearsay".*?<path d="(.*?)"', drawings[0], re.DOTALL)
    assert wrong and right and wrong[1] != right[1]
    said = "<li>dZ2: [B, C], wrong here: batch-mean-missing (as the run&#39;s trace shows it)</li>"
    assert said in html
    assert "<li>loss: a scalar, right (compared by the judge)</li>" in html
