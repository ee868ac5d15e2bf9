"""Edits of a file's text: what is not meant to change stays, byte for byte."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from grader.source.edits import Edit, Text, atomic
from grader.source.parsing import UNPARSABLE

FIXTURES = Path(__file__).parents[1] / "hostile" / "fixtures"


def only(text: Text, line: int) -> ast.stmt:
    [statement] = text.statements(line, line)
    return statement


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_columns_are_bytes_whatever_the_newlines(newline: str) -> None:
    source = newline.join(["s = 'Größe'; x = a + b  # ü", "y = x", ""])
    text = Text(source.encode())
    inner = text.statements(1, 1)[1]
    assert text.text(inner) == "x = a + b"
    site = next(s for s in text.sites(inner) if isinstance(s.node, ast.BinOp))
    edited = text.applied([text.replaced(site, "c")])
    assert edited.decode() == source.replace("a + b", "c")


def test_a_statement_goes_with_its_line() -> None:
    text = Text(b"def f(a):\n    b = a\n    a *= 2  # twice\n    return b\n")
    assert text.applied([text.removed(only(text, 3))]) == b"def f(a):\n    b = a\n    return b\n"


def test_the_last_statement_of_a_block_becomes_pass() -> None:
    text = Text(b"for i in x:\n    a *= 2\n")
    assert text.applied([text.removed(only(text, 2))]) == b"for i in x:\n    pass\n"


@pytest.mark.parametrize(("index", "left"), [(0, b"b = 2\nc = 3\n"), (1, b"a = 1\nc = 3\n")])
def test_one_of_two_statements_on_a_line_goes(index: int, left: bytes) -> None:
    text = Text(b"a = 1; b = 2\nc = 3\n")
    statement = text.statements(1, 1)[index]
    assert text.applied([text.removed(statement)]) == left


def test_a_statement_follows_in_the_same_block() -> None:
    text = Text(b"def f(a):\n    b = a\n    return b\n")
    edited = text.applied([text.followed(only(text, 2), "b = b / 2")])
    assert edited == b"def f(a):\n    b = a\n    b = b / 2\n    return b\n"


def test_a_statement_follows_on_a_line_that_is_a_block_of_its_own() -> None:
    text = Text(b"for i in x: a += i\nb = a\n")
    edited = text.applied([text.followed(only(text, 1), "a /= 2")])
    assert edited == b"for i in x: a += i; a /= 2\nb = a\n"


@pytest.mark.parametrize(
    ("source", "wanted"),
    [("x = a * b", "x = (c + d) * b"), ("x = f(a)", "x = f(c + d)"), ("x = (a) * b", "x = (c + d) * b")],
)  # fmt: skip
def test_parentheses_stand_where_they_are_needed(source: str, wanted: str) -> None:
    text = Text(source.encode())
    sites = text.sites(text.tree.body[0])
    site = next(s for s in sites if isinstance(s.node, ast.Name) and s.node.id == "a")
    assert text.applied([text.replaced(site, "c + d")]).decode() == wanted


@pytest.mark.parametrize(
    ("source", "wanted"),
    [("x = (a + b) * c", "x = d * c"), ("x = f(a + b)", "x = f(d)"), ("x = c in (a + b)", "x = c in d")],
)  # fmt: skip
def test_parentheses_go_where_an_atom_needs_none(source: str, wanted: str) -> None:
    text = Text(source.encode())
    sites = text.sites(text.tree.body[0])
    site = next(s for s in sites if text.text(s.node) == "a + b")
    assert text.applied([text.replaced(site, "d")]).decode() == wanted


def test_atoms() -> None:
    assert all(map(atomic, ("a", "a.b", "a[0]", "f(a)", "1")))
    assert not any(map(atomic, ("a + b", "-a", "a > b", "a if b else c")))


def test_statements_that_a_statement_rests_on() -> None:
    text = Text(b"def f(a):\n    b = a\n    c = 1\n    d = b + 1\n    return d\n")
    assert [s.lineno for s in text.sources(only(text, 5))] == [4, 2]
    assert text.callers(only(text, 5)) == []


def test_an_unsound_edit_is_told() -> None:
    text = Text(b"x = 1\n")
    assert not text.sound(Edit(4, 5, "(")) and not text.sound(Edit(4, 5, "1"))
    assert text.sound(Edit(4, 5, "2"))


@pytest.mark.parametrize("data", [b"x = (", b"\xff", b"\xef\xbb\xbfx = 1\n", b"x = " + b"(" * 5000])
def test_what_is_no_python_is_refused(data: bytes) -> None:
    with pytest.raises(UNPARSABLE):
        Text(data)


@pytest.mark.parametrize("chain", [".a" * 20_000, " + 1" * 20_000])
def test_a_tree_too_deep_to_walk_is_refused(chain: str) -> None:
    with pytest.raises(UNPARSABLE):
        Text(f"x = y{chain}\n".encode())
