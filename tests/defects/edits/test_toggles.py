"""What each template that needs no tensor makes of a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from grader.defects.edits import toggles
from grader.defects.edits.blame import Blame
from grader.source.edits import Edit
from tests.defects.edits.blamed import BACKWARD, FORWARD, TORCH, blame_of, made
from tests.defects.test_facts import network, read

Operator = Callable[[Blame], Iterator[Edit]]

EXACT: list[tuple[Operator, str, str, list[str]]] = [
    (toggles.keep_part, BACKWARD, "d = -(a * b.T)",
     ["d = a * b.T", "d = -a", "d = -b.T", "d = -(a * b)", "d = a", "d = b.T", "d = -b", "d = b"]),
    (toggles.keep_part, BACKWARD, "d = np.exp(a)", ["d = a"]),
    (toggles.keep_part, BACKWARD, "d = a if t else b", ["d = a", "d = b"]),
    (toggles.drop, BACKWARD, "dZ2 /= B", [""]),
    (toggles.drop, TORCH, "loss.backward()", []),
    (toggles.drop, FORWARD, "return loss", []),
    (toggles.negate, BACKWARD, "dZ2 += a", ["dZ2 -= a", "dZ2 += -a"]),
    (toggles.negate, BACKWARD, "dZ2 -= a", ["dZ2 += a", "dZ2 -= -a"]),
    (toggles.turn_comparison, BACKWARD, "m = Z1 > 0", ["m = Z1 <= 0", "m = Z1 < 0"]),
    (toggles.turn_comparison, BACKWARD, "m = Z1 <= 0",
     ["m = Z1 > 0", "m = Z1 < 0", "m = Z1 >= 0"]),
    (toggles.turn_comparison, BACKWARD, "m = 0 < Z1 < 6", []),
    (toggles.turn_comparison, BACKWARD, "m = Z1 == 0", []),
    (toggles.sum_over_batch, BACKWARD, "db2 = dZ2", ["db2 = dZ2.sum(axis=0)"]),
    (toggles.average, FORWARD, "loss = -L", ["loss = (-L).mean()", "loss = -L.mean()"]),
    (toggles.make_column, FORWARD, "t = s", ["t = s[:, None]"]),
    (toggles.flatten, FORWARD, "loss = L", ["loss = L[0]", "loss = L.ravel()"]),
    (toggles.use_natural_log, FORWARD, "L = np.log10(P)", ["L = np.log(P)"]),
    (toggles.use_natural_log, FORWARD, "L = np.log(P)", []),
    (toggles.turn_all_axes, FORWARD, "s = np.sum(E, axis=0) + E.max(axis=0)",
     ["s = np.sum(E, axis=1) + E.max(axis=1)"]),
    (toggles.turn_all_axes, FORWARD, "s = E.sum(axis=0)", []),  # as `change_reduction` has it
    (toggles.change_keywords, TORCH, 'l = f(z, t, reduction="sum")', ["l = f(z, t)"]),
    (toggles.change_keywords, TORCH, "l = torch.tensor(X)",
     ["l = torch.tensor(X, requires_grad=True)"]),
    (toggles.change_keywords, TORCH, "l = torch.from_numpy(X)",
     ["l = torch.from_numpy(X).requires_grad_()"]),
    (toggles.change_keywords, FORWARD, "l = torch.tensor(X)", []),
    (toggles.widen, FORWARD, "Z = np.float32(a)",
     ["Z = np.float64(a)"]),
    (toggles.widen, TORCH, "Z = X.float()", ["Z = X.double()"]),
    (toggles.widen, FORWARD, "Z = np.float64(a)", []),
    (toggles.copy, BACKWARD, "d = P", ["d = P.copy()"]),
    (toggles.copy, BACKWARD, "P -= Y", ["P -= Y.copy()", "P = P - Y"]),
    (toggles.transpose_all, BACKWARD, 'g = {"W1": a, "W2": b + c}',
     ['g = {"W1": a.T, "W2": (b + c).T}']),
    (toggles.transpose_all, BACKWARD, "g = {}", []),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "frame", "line", "wanted"), EXACT)
def test_all_that_a_template_makes_of_a_line(
    operator: Operator, frame: str, line: str, wanted: list[str]
) -> None:
    assert made(operator, frame, line) == wanted


FIRST: list[tuple[Operator, str, list[str]]] = [
    (toggles.negate, "d = -a", ["d = a"]),
    (toggles.negate, "d = a - (b + c)", ["d = b + c - a"]),
    (toggles.change_reduction, "s = E.sum(axis=0)", ["s = E.sum(axis=1)"]),
    (toggles.change_reduction, "s = np.max(E, 1)", ["s = np.max(E, 0)"]),
    (toggles.change_reduction, "s = E.sum()", ["s = E.sum(axis=1)", "s = E.sum(keepdims=True)"]),
    (toggles.sum_over_batch, "d = g.sum(axis=0, keepdims=True)", ["d = g.sum(axis=0)"]),
    (toggles.transpose, "d = a.T @ b", ["d = a @ b", "d = (a.T @ b).T"]),
]


@pytest.mark.parametrize(("operator", "line", "wanted"), FIRST)
def test_the_likeliest_comes_first(operator: Operator, line: str, wanted: list[str]) -> None:
    assert made(operator, BACKWARD, line)[: len(wanted)] == wanted


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("s = np.sum(E, axis=1, keepdims=True)", "s = np.sum(E, axis=1)"),
        ("s = E.max()", "s = E.max(axis=1, keepdims=True)"),
        ("s = E.mean()", "s = E.sum()"),
        ("s = E.sum()", "s = E.mean()"),
    ],
)
def test_a_reduction_keeps_its_axis_or_not_and_sums_or_averages(line: str, wanted: str) -> None:
    assert wanted in made(toggles.change_reduction, FORWARD, line)


def test_a_product_is_turned_round() -> None:
    assert "d = b @ a" in made(toggles.transpose, BACKWARD, "d = a @ b")


def test_a_right_part_is_one_that_the_trace_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "dZ1 = (dH1 * (Z1 > 0)) * 3.7"
    source = network(line)
    at = source[: source.index(line)].count("\n") + 1
    blame = blame_of(source, at, at, named=read(source, monkeypatch))
    edits = [blame.text.applied([e]).decode() for e in toggles.keep_right_part(blame)]
    found = [text.splitlines()[at - 1].strip() for text in edits]
    assert "dZ1 = dH1 * (Z1 > 0)" in found
    assert "dZ1 = dH1" in found
    assert "dZ1 = 3.7" not in found


def test_nothing_is_known_to_be_right_without_a_trace() -> None:
    assert made(toggles.keep_right_part, BACKWARD, "dZ1 = -dH1") == []
