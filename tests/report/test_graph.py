"""The drawn network: every tensor has its box, its status in more than colour, and its words."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import pytest

from grader.diagnosis.tensors import NUMPY, TORCH
from grader.records import Result, Standing
from grader.report import render_report
from grader.report.drawing import Box, Drawing
from grader.report.graph import panels

ANCHORS = {"batch-mean-missing": "defect-batch-mean-missing"}


def boxes(drawing: Drawing) -> dict[str, Box]:
    return {box.node.name: box for box in drawing.boxes}


def test_each_part_has_two_drawings_of_all_its_tensors(usual: Result) -> None:
    numpy, torch = panels(usual, ANCHORS)
    assert [d.layout for d in numpy.drawings] == ["level", "upright"]
    for panel, parents in ((numpy, NUMPY), (torch, TORCH)):
        for drawing in panel.drawings:
            assert set(boxes(drawing)) == set(parents)


def test_no_box_covers_another_or_leaves_the_drawing(usual: Result) -> None:
    for panel in panels(usual, ANCHORS):
        for drawing in panel.drawings:
            for box in drawing.boxes:
                assert box.width / 2 < box.x < drawing.width - box.width / 2
                assert box.height / 2 < box.y < drawing.height - box.height / 2
            for a, b in combinations(drawing.boxes, 2):
                beside = abs(a.x - b.x) >= (a.width + b.width) / 2
                above = abs(a.y - b.y) >= (a.height + b.height) / 2
                assert beside or above, (drawing.id, a.node.name, b.node.name)


def test_the_backward_pass_stands_beneath_the_forward_pass(usual: Result) -> None:
    level, upright = (boxes(d) for d in panels(usual, ANCHORS)[0].drawings)
    for tensor, gradient in (("Z1", "dZ1"), ("H1", "dH1"), ("Z2", "dZ2"), ("X", "dX")):
        assert level[tensor].x == level[gradient].x
        assert level[tensor].y < level[gradient].y
        assert upright[tensor].y == upright[gradient].y
        assert upright[tensor].x < upright[gradient].x


def test_arrows_end_at_boxes_and_show_where_an_error_passes(usual: Result) -> None:
    level = panels(usual, ANCHORS)[0].drawings[0]
    edges = sum(len(parents) for parents in NUMPY.values())
    assert len(level.arrows) == edges
    spoilt = [a for a in level.arrows if a.spoilt]
    # dZ2 → dW2 db2 dH1, dZ1 → dW1 db1 dX; dZ1 has a bug of its own, so nothing comes from dH1
    assert len(spoilt) == 6
    assert {a.kept for a in level.arrows} == {True, False}
    for arrow in level.arrows:
        assert bool(arrow.head) is not arrow.kept


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
