"""What stands for a tensor at a place: what was seen of it, and what it is called."""

from __future__ import annotations

import ast

import pytest

from grader.defects.edits.scope import FEW, Scope, last_word
from tests.defects.edits.blamed import BACKWARD, FORWARD, blame_of, blamed
from tests.defects.test_facts import B, network, read


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('cache["Z1"]', "Z1"),
        ("cache['Z1']", "Z1"),
        ("self.Z1", "Z1"),
        ("a.b.Z1", "Z1"),
        pytest.param("H1[i]", "H1", marks=pytest.mark.xfail(strict=True, reason="it gives `i`")),
        ("H1", "H1"),
    ],
)
def test_the_word_that_names_a_tensor(text: str, word: str) -> None:
    assert last_word(text) == word


def test_what_was_seen_comes_before_what_is_called_so() -> None:
    scope = Scope({"Z1": ("q",)}, ("Z1", "pre_activation", "y"), {})
    assert scope.texts("Z1") == ["q", "Z1", "pre_activation"]
    assert scope.texts("y", "Z1") == ["q", "y", "Z1", "pre_activation"]
    assert scope.texts("C") == []


def test_few_texts_are_tried() -> None:
    scope = Scope({"H1": tuple("abcdef")}, ("H1",), {})
    assert scope.texts("H1") == list("abcd") and FEW == 4


def test_the_size_of_the_batch() -> None:
    assert Scope({"B": ("5", "n")}, ("X",), {}).size() == ["n", "X.shape[0]"]
    assert Scope({}, ("y",), {}).size() == ["y.shape[0]"]
    assert Scope({}, (), {}).size() == []


def test_texts_of_one_shape_are_alike() -> None:
    scope = Scope({}, (), {"a": (2, 3), "b": (2, 3), "c": (3, 2)})
    assert scope.alike("a") == ["b"]
    assert scope.alike("c") == scope.alike("unknown") == []


# ── of a file ────────────────────────────────────────────────────────────────


def test_the_arguments_of_the_contract_are_known_by_their_places() -> None:
    source = FORWARD.format("h = inputs @ w").replace("(X, y, W1,", "(inputs, labels, w,")
    blame = blame_of(source, 3, 3)
    scope = blame.scope(blame.statements[0])
    assert (scope.by_role["X"], scope.by_role["y"], scope.by_role["W1"]) == (
        ("inputs",), ("labels",), ("w",),
    )  # fmt: skip


def test_entries_and_fields_are_written_as_they_are_read() -> None:
    source = (
        "def forward(X, y, W1, b1, W2, b2):\n    return 0, {'Z1': X, 'H1': X}\n"
        "def backward(cache):\n    dZ2 = cache['H1']\n    return dZ2\n"
    )
    blame = blame_of(source, 4, 4)
    scope = blame.scope(blame.statements[0])
    assert {'cache["Z1"]', 'cache["H1"]', "dZ2"} <= {*scope.loose}
    assert "cache" not in scope.loose


def test_a_nested_function_sees_what_is_around_it() -> None:
    blame = blamed(BACKWARD, "def gate(g):\n        return g\n    dZ1 = gate(P)")
    inner = next(
        n
        for n in ast.walk(blame.text.tree)
        if isinstance(n, ast.Return) and isinstance(n.value, ast.Name)
    )
    assert {"g", "P", "Z1"} <= {*blame.scopes.of(inner).loose}


def test_the_trace_tells_what_a_name_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "dZ1 = q * (Z1 > 0) * 3.7 / 3.7"
    source = network(f"n, q = len(y), dH1\n{line}")
    at = source[: source.index(line)].count("\n") + 1
    blame = blame_of(source, at, at, named=read(source, monkeypatch))
    by_text = {blame.source(s.node): s for s in blame.sites}
    scopes = blame.scopes
    assert scopes.base(by_text["q"]) == "dH1"
    assert not scopes.suspect(by_text["q"])
    assert scopes.suspect(by_text["q * (Z1 > 0) * 3.7"])
    assert scopes.reading(by_text["Z1"]).value.shape[0] == B
    scope = blame.scope(blame.statements[0])
    assert "q" in scope.by_role["dH1"]
    assert "X.shape[0]" in scope.size() or "len(y)" in scope.size()
    assert "dH1" in scope.alike("Z1")


def test_what_was_not_seen_is_suspect() -> None:
    blame = blamed(FORWARD, "h = X")
    (site,) = blame.sites
    assert blame.scopes.reading(site) is None
    assert blame.scopes.base(site) == ""
    assert blame.scopes.suspect(site)
