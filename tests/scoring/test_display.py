import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.scoring import display_percent, display_score


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
