"""What is blamed: which expressions are edited at all, and in which order."""

from __future__ import annotations

import ast

import pytest

from tests.defects.edits.blamed import BACKWARD, FORWARD, TORCH, blame_of, blamed
from tests.defects.test_facts import network, read


def test_all_expressions_of_the_lines_are_edited_where_nothing_was_seen() -> None:
    blame = blamed(BACKWARD, "d = a + b.T\n    e = 1")
    assert [blame.source(s.node) for s in blame.sites] == ["a + b.T", "a", "b.T", "b"]
    assert blame.suspects == blame.sites
    assert [type(s) for s in blame.statements] == [ast.Assign, ast.Assign]


def test_what_is_no_known_tensor_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "dZ1 = dH1 * (Z1 < 0)"
    source = network(line)
    at = source[: source.index(line)].count("\n") + 1
    blame = blame_of(source, at, at, named=read(source, monkeypatch))
    texts = [blame.source(s.node) for s in blame.sites]
    suspects = [blame.source(s.node) for s in blame.suspects]
    assert suspects == texts[: len(suspects)]
    assert "dH1 * (Z1 < 0)" in suspects
    assert {"dH1", "Z1"} <= {*texts[len(suspects) :]}


def test_what_was_seen_hides_what_was_never_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "dZ1 = dH1 * (Z1 > 0) if len(y) else oops"
    source = network(line)
    at = source[: source.index(line)].count("\n") + 1
    blame = blame_of(source, at, at, named=read(source, monkeypatch))
    assert "oops" not in [blame.source(s.node) for s in blame.sites]


def test_an_operand_stands_beside_any_operator() -> None:
    blame = blamed(BACKWARD, "d = a + b.T")
    assert [blame.operand(s.node) for s in blame.sites] == ["(a + b.T)", "a", "b.T", "b"]


@pytest.mark.parametrize(
    ("source", "torch", "name"),
    [
        ("import numpy as xp\nd = 1\n", False, "xp"),
        ("import numpy\nd = 1\n", False, "numpy"),
        ("from numpy import exp\nd = 1\n", False, "np"),
        ("import numpy as np, torch as t\nd = 1\n", True, "t"),
        ("d = 1\n", True, "torch"),
    ],
)
def test_the_name_of_numpy_or_of_torch(source: str, torch: bool, name: str) -> None:
    assert blame_of(source, 1, 1, torch=torch).numpy == name


def test_a_scope_is_that_of_the_function_around() -> None:
    blame = blamed(FORWARD, "Z = X")
    (site,) = blame.sites
    assert blame.scope(site) is blame.scope(blame.statements[0])
    assert blame.scope(site).texts("W1") == ["W1"]
    assert blamed(TORCH, "Z = X").torch
