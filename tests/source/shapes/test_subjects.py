"""What statements give, and shapes that are written as code."""

from __future__ import annotations

import ast

import pytest

from grader.source.shapes.subjects import (
    asserted_in,
    changes_part,
    entries_of,
    letters_of,
    name_of,
    subjects_of,
)


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize("text", ["Z1", "self.Z1", 'cache["Z1"]', "Z1[rows]", "Z1[0][1:]"])
def test_a_name_is_read_through_its_owner_and_its_index(text: str) -> None:
    assert name_of(expression(text)) == "Z1"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Z1 = a", ["Z1"]),
        ("Z1 += a", ["Z1"]),
        ("Z1: A = a", ["Z1"]),
        ("return a, b", []),
        ("f()", []),
    ],
)
def test_what_a_statement_gives(text: str, names: list[str]) -> None:
    assert [s.name for s in subjects_of(ast.parse(text).body[0])] == names


def test_writing_entries_changes_a_part() -> None:
    parts = [changes_part(ast.parse(t).body[0]) for t in ("a[0] = b", "a['k'] = b", "a = b")]
    assert parts == [True, False, False]


def test_entries_of_a_display_and_a_call() -> None:
    assert [s.name for _, s in entries_of(expression("{'W1': a, 2: b}"))] == ["W1"]
    assert [s.name for _, s in entries_of(expression("f(Z1, W1=a)"))] == ["W1", "Z1"]


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("N, D = X.shape", [("N", "X", 0), ("D", "X", 1)]),
        ("N = len(X)", [("N", "X", 0)]),
        ("N, H = X.shape[0], W1.shape[1]", [("N", "X", 0), ("H", "W1", 1)]),
        ("N = 5", []),
    ],
)
def test_letters_that_the_code_defines(text: str, letters: list[tuple[str, str, int]]) -> None:
    assert list(letters_of(ast.parse(text).body[0])) == letters  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "asserted"),
    [
        ("Z1.shape == (B, 5)", [("Z1", ("B", "5"))]),
        ("(B,) == np.shape(y)", [("y", ("B",))]),
        ("dW1.shape == W1.shape and a", [("dW1", ("W1.shape",))]),
        ("Z1.shape != (B, H)", []),
    ],
)
def test_asserted_shapes(text: str, asserted: list[tuple[str, tuple[str, ...]]]) -> None:
    assert list(asserted_in(expression(text))) == asserted
