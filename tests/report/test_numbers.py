"""No number rounds up to full, and no score down to nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.numbers import (
    display_percent,
    display_score,
    percent_of,
    plural,
    points,
    score_of,
    share,
)


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


@pytest.mark.parametrize(
    ("score", "full", "shown"),
    [
        (100, 100, "100.0"),
        (99.96, 100, "99.9"),
        (99.9999999, 100, "99.9"),
        (99.94, 100, "99.9"),
        (0.04, 100, "0.1"),
        (1e-300, 100, "0.1"),
        (0, 100, "0.0"),
        (66.666, 100, "66.7"),
        (80, 80, "80.0"),
        (79.99, 80, "79.9"),
        (33.33, 100 / 3, "33.2"),
        (0, 0, "0.0"),
    ],
)
def test_score(score, full, shown):
    assert display_score(score, full) == shown


@pytest.mark.parametrize(
    ("score", "full", "shown"),
    [
        (80, 80, "100.0"),
        (79.99, 80, "99.9"),
        (0.001, 80, "0.1"),
        (0, 80, "0.0"),
        (1, 3, "33.3"),
        (0, 0, "0.0"),
        (0.1, 0.3, "33.3"),
    ],
)
def test_percent(score, full, shown):
    assert display_percent(score, full) == shown


@given(st.floats(0, 1), st.floats(0.5, 10_000))
def test_full_and_nothing_are_shown_only_when_they_are(share, full):
    score = min(share * full, full)
    percent = display_percent(score, full)
    assert (percent == "100.0") == (score == full)
    assert (percent == "0.0") == (score == 0)
    assert (display_score(score, full) == display_score(full, full)) == (score == full)
