"""Any numbers stay within the drawing."""

from __future__ import annotations

import math

import pytest

from grader.report.plot import HEIGHT, WIDTH, Series, plot


@pytest.mark.parametrize("values", [(1e-300, 1e300), (1.0, 1.0), (math.nan, math.inf), (0.0, -2.0)])
def test_any_numbers_stay_within_the_drawing(values: tuple[float, ...]) -> None:
    points = tuple((10.0**i, y) for i, y in enumerate(values))
    made = plot([Series("t1", "x", points)], id="x", title="", caption="", axes=("", ""))
    spots = [spot for line in made.lines for spot in (*line.dots, *line.lost)]
    assert len(spots) == len(points)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in spots)
    ticks = [t.at for t in made.y_ticks]
    assert all(0 <= t <= HEIGHT for t in ticks)
