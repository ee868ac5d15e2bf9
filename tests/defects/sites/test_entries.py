"""Under which keys backward gives its gradients back, and what makes each."""

from __future__ import annotations

import textwrap

import pytest

from grader.defects.clues import Clues
from grader.defects.sites.entries import entries, maker, returns, tensor_of
from tests.defects.planted_clues import clues_of


def clues(body: str) -> Clues:
    return clues_of("def backward(cache):\n" + textwrap.indent(textwrap.dedent(body), "    "))


def keys(body: str) -> list[str]:
    return [entry.key for entry in entries(clues(body), "backward")]


@pytest.mark.parametrize(
    ("key", "tensor"),
    [
        ("W1", "W1"), ("dW1", "W1"), ("grad_W1", "W1"), ("w1", "W1"), ("db2", "b2"),
        ("dX", "X"), ("x", "X"), ("W3", ""), ("loss", ""), ("", ""), (1, ""), (None, ""),
    ],
)  # fmt: skip
def test_a_key_names_a_tensor(key: object, tensor: str) -> None:
    assert tensor_of(key) == tensor


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return {'W1': a, 'b1': b}", ["W1", "b1"]),
        ("return {'dW1': a, 'dX': b, 'loss': c, **more}", ["W1", "X"]),
        ("return {'W1': a}", []),  # one alone may be anything
        ("return dict(W1=a, dX=b)", ["W1", "X"]),
        ("return dict(zip(('W1', 'b1'), (a, b)))", ["W1", "b1"]),
        ("return dict(zip(NAMES, (a, b)))", []),
        ("g['W1'] = a", ["W1"]),
        ("g['W1'], g['b1'] = a, b", ["W1", "b1"]),
        ("g['W1'], g['b1'] = f()", ["W1", "b1"]),
        ("W1 = g", []),
        ("g[0] = a", []),
    ],
)
def test_the_entries_of_a_mapping(body: str, found: list[str]) -> None:
    assert keys(body) == found


def test_an_entry_knows_its_place_and_its_mapping() -> None:
    one, two = entries(clues("g = {\n    'W1': a,\n    'b1': b,\n}\nreturn g"), "backward")
    assert (one.spot.line, two.spot.line) == (3, 4)
    assert one.display == two.display
    assert one.display is not None
    assert (one.display.line, one.display.end_line) == (2, 5)
    (stored,) = entries(clues("g['X'] = a"), "backward")
    assert (stored.spot.line, stored.display) == (2, None)


def test_a_pair_of_stored_entries_has_each_its_own_value() -> None:
    one, two = entries(clues("g['W1'], g['b1'] = a, b"), "backward")
    assert (one.value.id, two.value.id) == ("a", "b")


def test_the_last_return_comes_first() -> None:
    (function,) = clues("if cache:\n    return 1\nreturn 2").reached("backward")
    assert [statement.lineno for statement in returns(function)] == [4, 3]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("a = 1\na = 2\nb = 3\nreturn {'W1': a, 'X': b}", 3),  # line 1 is the definition's
        ("a = 1\na += 2\nreturn {'W1': a, 'X': b}", 3),
        ("a, c = 1, 2\nreturn {'W1': a, 'X': b}", 2),
        ("return {'W1': a + 1, 'X': b}", 2),
        ("return {'W1': a, 'X': b}", 2),  # nothing here makes it
        ("g = {'W1': a, 'X': b}\na = 1\nreturn g", 2),  # too late
        ("self.a = 1\nself.c = 2\nreturn {'W1': self.a, 'X': b}", 2),
        ("return {'W1': self.a, 'X': b}", 2),
    ],
)
def test_what_makes_an_entry(body: str, line: int) -> None:
    known = clues(body)
    first = next(entries(known, "backward"))
    spot = maker(known, first)
    assert spot is not None
    assert spot.line == line
