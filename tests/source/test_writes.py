"""Who writes into an array that somebody else holds: views and second names do, copies do not."""

from __future__ import annotations

import textwrap

import pytest

from grader.source.writes import Follower
from tests.source.test_program import program


def lines(body: str, helper: str = "") -> list[int]:
    """The lines of `forward(X, W)` that write into X, counted from its first statement."""
    source = f"def forward(X, W):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n{helper}"
    one = program(solution=source)
    function = one.contract("forward")
    assert function is not None
    return [w.spot.line - 1 for w in Follower(one).writes(function, {"X": "X"})]


@pytest.mark.parametrize(
    "body",
    [
        "X -= 1",
        "X[0] = 1",
        "X[mask] = 1",
        "X.sort()",
        "np.add.at(X, i, 1)",
        "np.copyto(X, W)",
        "np.maximum(X, 0, out=X)",
        "np.maximum(X, 0, X)",
        "X.mul_(2)",
        "if W:\n    pass\nelse:\n    X += 1",
        "try:\n    pass\nexcept ValueError:\n    X += 1",
        "for X[0] in W:\n    X *= 2",
    ],
)
def test_writes_in_place_are_seen(body: str) -> None:
    assert lines(body) != []


@pytest.mark.parametrize(
    "body",
    [
        "X = X - 1\nX -= 1",
        "Z = X.copy()\nZ -= 1",
        "Z = X + 0\nZ[0] = 1",
        "Z = X[mask]\nZ += 1",
        "X, W = W, X.copy()\nW += 1\nX += 1",
        "n = X.shape\nn += 1",
        "Z = np.maximum(X, 0)\nZ *= 2",
        "W += X",
    ],
)
def test_writes_into_something_else_are_not(body: str) -> None:
    assert lines(body) == []


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("Z = X\nZ -= 1", 1),
        ("Z = X.reshape(-1)\nZ += 1", 1),
        ("Z = np.asarray(X)\nZ += 1", 1),
        ("Z = X[:2]\nW = 3\nZ[0] = 1", 1),
        ("X = np.asarray(X)\nX += 1", 2),
        ("(X, W) = X, W\nX += 1", 2),
    ],
)
def test_a_second_name_is_where_the_copy_is_missing(body: str, line: int) -> None:
    assert lines(body) == [line]


def test_a_helper_is_followed_into() -> None:
    helper = "def centre(a, b):\n    b -= 1\n"
    assert lines("centre(W, X)", helper) == [3]
    assert lines("centre(X, W)", helper) == []
    assert lines("centre(W, b=X)", helper) == [3]


def test_a_helper_that_calls_itself_ends() -> None:
    assert lines("again(X)", "def again(a):\n    again(a)\n    a += 1\n") == [4]
