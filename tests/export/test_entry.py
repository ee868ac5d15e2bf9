"""Only a full score looks full."""

from __future__ import annotations

import pytest

from grader.export.entry import scaled


@pytest.mark.parametrize(
    ("share", "full", "text"),
    [(1.0, 100, "100.00"), (0.99999, 100, "99.99"), (0.29, 100, "29.00"), (2 / 3, 10, "6.66")],
)
def test_only_a_full_score_looks_full_and_no_sums_dust_costs_a_hundredth(
    share: float, full: float, text: str
) -> None:
    assert scaled(share, full) == text
