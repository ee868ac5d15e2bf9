from __future__ import annotations

import pytest

from grader.source.corrections.spelling import distance, nearest


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [("retrun", "return", 1), ("axs", "axis", 1), ("a", "a", 0), ("", "abc", 3), ("abc", "cba", 2)],
)
def test_distance(one: str, other: str, far: int) -> None:
    assert distance(one, other) == distance(other, one) == far


def test_of_several_the_nearest() -> None:
    assert nearest("chache", ["cache", "batch", "chances"]) == ["cache"]
    assert nearest("X", ["x", "y"]) == ["x"]
    assert nearest("b3", ["b1", "b2"]) == [], "a short word is another word"
