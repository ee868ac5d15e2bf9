"""The drawing has a dot for each mark, and the corners where they belong."""

from __future__ import annotations

from grader.agreement.comparison import Compared
from grader.agreement.marks import Opinion
from grader.agreement.scatter import LEFT, SIDE, TOP, scatter


def compared(percent: float, *marks: float | None) -> Compared:
    opinions = {str(at): Opinion(mark, 1, "") for at, mark in enumerate(marks)}
    return Compared("a", "Ada", "href", percent, 1, opinions, {})


def test_the_corners() -> None:
    drawn = scatter([compared(100, 0), compared(0, 100)])
    assert {(d.x, d.y) for d in drawn.dots} == {(LEFT, TOP), (LEFT + SIDE, TOP + SIDE)}
    assert (drawn.above, drawn.below) == (1, 1)
    assert all(dot.is_far for dot in drawn.dots)


def test_the_spread_of_the_markers() -> None:
    (dot,) = scatter([compared(50, 40, 50, 80), compared(50, None)]).dots
    assert (dot.low, dot.x, dot.high) == (LEFT + 0.4 * SIDE, LEFT + 0.5 * SIDE, LEFT + 0.8 * SIDE)
    assert dot.words == "Ada: grader 50, panel 50"
    assert not dot.is_far
