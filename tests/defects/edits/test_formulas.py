"""What each template that brings in a tensor makes of a line, by the names in scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from grader.defects.edits import formulas
from grader.defects.edits.blame import Blame
from grader.source.edits import Edit
from tests.defects.edits.blamed import BACKWARD, FORWARD, TORCH, blame_of, made
from tests.defects.test_facts import network, read

Operator = Callable[[Blame], Iterator[Edit]]

EXACT: list[tuple[Operator, str, str, list[str]]] = [
    (formulas.add_bias, FORWARD, "Z = X @ W1", ["Z = X @ W1 + b1", "Z = X @ W1 + b2"]),
    (formulas.add_bias, FORWARD, "Z = X", []),
    (formulas.activate, FORWARD, "H = Z", ["H = np.maximum(Z, 0)"]),
    (formulas.activate, TORCH, "H = z", ["H = torch.relu(z)"]),
    (formulas.shift_by_max, FORWARD, "S = Z2", ["S = Z2 - Z2.max(axis=1, keepdims=True)"]),
    (formulas.shift_by_max, TORCH, "S = z", ["S = z - z.max(dim=1, keepdims=True)"]),
    (formulas.subtract_labels, BACKWARD, "d = P",
     ["d = P - (y[:, None] == np.arange(P.shape[1]))",
      "d = P\n    d[np.arange(len(y)), y] -= 1",
      "d = P\n    d[y] -= 1"]),
    (formulas.return_gradient, BACKWARD, 'g = {"W1": dW1, "X": None}; dX = a',
     ['g = {"W1": dW1, "X": None, "b1": db1}; dX = a', 'g = {"W1": dW1, "X": dX}; dX = a']),
    (formulas.return_gradient, BACKWARD, 'g = {"b1": db1}; dX = dW1',
     ['g = {"b1": db1, "W1": dW1}; dX = dW1']),
    (formulas.read_class_count, FORWARD, "C = n", ["C = W2.shape[-1]", "C = b2.shape[-1]"]),
    (formulas.write("{np}.exp({0})", "X"), FORWARD, "d = q", ["d = np.exp(X)"]),
    (formulas.write("{np}.exp({0})", "X"), TORCH, "d = q", ["d = torch.exp(X)"]),
    (formulas.write("{np}.exp({0})", "Z1"), FORWARD, "d = q", []),
    (formulas.swap_in("W2"), BACKWARD, "d = W1.T", ["d = W2.T", "d = W2"]),
    (formulas.swap_in("W1"), BACKWARD, "d = W1", []),
    (formulas.exchange, BACKWARD, "d = H1", ["d = X", "d = P", "d = dH1"]),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "frame", "line", "wanted"), EXACT)
def test_all_that_a_template_makes_of_a_line(
    operator: Operator, frame: str, line: str, wanted: list[str]
) -> None:
    assert made(operator, frame, line) == wanted


FIRST: list[tuple[Operator, str, str, list[str]]] = [
    (formulas.divide_by_B, BACKWARD, "d = a / n", ["d = a / X.shape[0]", "d = a / P.shape[0]"]),
    (formulas.divide_by_B, BACKWARD, "d /= n", ["d /= X.shape[0]", "d /= P.shape[0]"]),
    (formulas.divide_by_B, BACKWARD, "d = a + c", ["d = (a + c) / X.shape[0]"]),
    (formulas.pick_labels, FORWARD, "l = L[:, y]", ["l = L[np.arange(len(y)), y]"]),
    (formulas.activate, FORWARD, "H = np.tanh(Z)",
     ["H = np.maximum(np.tanh, 0)", "H = np.maximum(Z, 0)"]),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "frame", "line", "wanted"), FIRST)
def test_the_likeliest_comes_first(
    operator: Operator, frame: str, line: str, wanted: list[str]
) -> None:
    assert made(operator, frame, line)[: len(wanted)] == wanted


@pytest.mark.parametrize(
    ("operator", "line", "wanted"),
    [
        (formulas.divide_by_B, "d[i] -= 1", "d[i] -= 1\n    d = d / X.shape[0]"),
        (formulas.apply_gate, "d = g", "d = g * (Z1 > 0)"),
        (formulas.apply_gate, "d = g * (H1 < 0)", "d = g * (Z1 > 0)"),
        (formulas.apply_gate, "d[i] = g", "d[i] = g\n    d = d * (Z1 > 0)"),
    ],
)
def test_it_is_among_what_a_template_makes(operator: Operator, line: str, wanted: str) -> None:
    assert wanted in made(operator, BACKWARD, line)


# ── with a trace ─────────────────────────────────────────────────────────────


def traced_lines(
    operator: Operator, source: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    at = source[: source.index(line)].count("\n") + 1
    blame = blame_of(source, at, at, named=read(source, monkeypatch))
    edits = (blame.text.applied([e]).decode() for e in operator(blame))
    return [text.splitlines()[at - 1].strip() for text in edits]


def test_the_gate_is_that_of_the_value_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the trace saw Z1 in comes before what is only called so."""
    source = network("q, Z1 = Z1, H1\ndZ1 = dH1 * (Z1 < 0) * q.size")
    found = traced_lines(formulas.apply_gate, source, "dZ1 = dH1 * (Z1 < 0)", monkeypatch)
    assert "(q > 0)" in found[0]


def test_the_log_of_the_true_class_comes_from_the_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "loss = -logP[np.arange(len(y)), y].mean()"
    source = network()
    found = traced_lines(formulas.use_log_softmax, source, line, monkeypatch)
    total = "np.logaddexp.reduce(Z2, axis=1)"
    assert any(f"(Z2[np.arange(len(y)), y] - {total})" in text for text in found)
    assert any("logP[np.arange(len(y)), y]" in text for text in found)
    assert made(formulas.use_log_softmax, FORWARD, "l = q") == []


def test_an_operand_of_the_same_shape_may_be_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    found = traced_lines(formulas.exchange, network(dW2="Z1.T @ dZ2"), "Z1.T @ dZ2", monkeypatch)
    assert any("H1.T @ dZ2" in text for text in found)
