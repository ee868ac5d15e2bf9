"""Only a full score looks full; each candidate of a group has a row."""

from __future__ import annotations

import pytest

from grader.export.entry import people, scaled


@pytest.mark.parametrize(
    ("share", "full", "text"),
    [(1.0, 100, "100.00"), (0.99999, 100, "99.99"), (0.29, 100, "29.00"), (2 / 3, 10, "6.66")],
)
def test_only_a_full_score_looks_full_and_no_sums_dust_costs_a_hundredth(
    share: float, full: float, text: str
) -> None:
    assert scaled(share, full) == text


@pytest.mark.parametrize(
    ("name", "who", "expected"),
    [
        ("Ada", "ada@x.edu", [("Ada", "ada@x.edu")]),
        ("Ada", "", [("Ada", "")]),
        ("Ann, Bo", "a@x b@x", [("Ann", "a@x"), ("Bo", "b@x")]),
        ("Lee, Ann, Bo", "a@x b@x", [("Lee, Ann, Bo", "a@x"), ("Lee, Ann, Bo", "b@x")]),
    ],
)
def test_each_of_a_group_has_a_row(name: str, who: str, expected: list[tuple[str, str]]) -> None:
    assert people({"submission": {"id": "s", "name": name, "who": who}}) == expected
