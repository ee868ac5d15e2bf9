"""Nothing rounds up to full."""

from __future__ import annotations

from grader.report.figures import percent_of, plural, points, score_of, share


def test_totals() -> None:
    assert score_of(78.5, 85) == "78.5 / 85"
    assert score_of(85, 85) == "85 / 85"
    assert score_of(84.999, 85) == "84.9 / 85"
    assert percent_of(78.5, 85) == "92.4%"
    assert percent_of(0, 0) == ""


def test_single_figures() -> None:
    assert [points(v) for v in (4.0, 2.5, 0.25, 3.999, 0.1 + 0.2)] == [
        "4",
        "2.5",
        "0.25",
        "3.99",
        "0.3",
    ]
    assert [share(a, b) for a, b in ((1, 3), (3, 3), (2.9999, 3), (1, 0))] == [
        "33.3",
        "100",
        "99.9",
        "0",
    ]
    assert (plural(1, "check"), plural(1200, "check")) == ("1 check", "1,200 checks")
