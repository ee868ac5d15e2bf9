"""Boxes do not overlap, and arrows end at them."""

from __future__ import annotations

from itertools import combinations

from grader.diagnosis.tensors import NUMPY, TORCH
from grader.records import Result
from grader.report.graph import panels
from tests.report.drawings import ANCHORS, boxes


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
