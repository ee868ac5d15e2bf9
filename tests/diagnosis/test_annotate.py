"""Beside each line the tensor it computes; wrong only where numbers are, and then with a cause."""

from __future__ import annotations

import pytest

from grader.cohort import Engine
from grader.diagnosis.annotate import MAX_PER_LINE
from grader.records import Result, Standing
from tests.diagnosis.pictured import beside, graded, variant

WRONG = (Standing.WRONG, Standing.FOLLOWS)

REFERENCE = {
    "shifted = Z2 - Z2.max": ["Z2 - max [B, C]"],
    "total = exp.sum": ["sums [B, 1]"],
    "picked = shifted[": ["Z2 - max, true [B]"],
    "loss = np.mean(": ["loss a scalar"],
    "return loss, exp / total": ["P [B, C]"],
    "dZ2[np.arange(len(y)), y] -= 1": ["P - onehot [B, C]"],
    "return dZ2 / len(y)": ["dZ2 [B, C]"],
    "Z1 = X @ W1 + b1": ["Z1 [B, H]"],
    "H1 = np.maximum(Z1, 0)": ["H1 [B, H]"],
    "dZ1 = dH1 * (Z1 > 0)": ["dZ1 [B, H]", "mask(Z1) [B, H]"],
    "dW1 = X.T @ dZ1": ["dW1 [D, H]"],
    "X, y, W1, W2, Z1, H1, P = cache": [],
    'return {"W1": dW1, "b1": db1': [],
}


@pytest.mark.parametrize("text", REFERENCE)
def test_a_right_answer_reads_back_as_the_formulas(engine: Engine, text: str) -> None:
    assert beside(graded(engine, "reference"), text) == REFERENCE[text]


RIGHT = (
    *("reference", "ada-okafor", "bjorn-halvorsen", "chiara-lombardi", "dmitri-volkov"),
    *("emeka-nwosu", "fatima-zahra-idrissi", "george-papadakis", "hannah-schmidt"),
    "beatriz-costa",
)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_has_nothing_wrong_beside_it(engine: Engine, name: str) -> None:
    told = graded(engine, name).annotations
    assert len(told) >= 12
    assert [a for a in told if a.right in WRONG or a.because] == []


def causes(result: Result) -> set[str]:
    return {code for a in result.annotations for code in a.because}


def test_the_right_value_under_the_wrong_name_is_marked_where_the_defect_stands(
    engine: Engine,
) -> None:
    result = graded(engine, "lucia-fernandez")
    assert beside(result, "dZ1 = dZ2 @ W2.T") == ["✗dH1 [B, H]"]
    assert beside(result, 'grads["W1"] = X.T @ dZ1') == ["↳dW1 [D, H]"]
    assert beside(result, 'grads["b2"] = dZ2.sum(axis=0)') == ["db2 [C]"]
    assert causes(result) == {"relu-mask-missing"}


def test_multiples_say_by_what(engine: Engine) -> None:
    result = graded(engine, "ines-marques")
    assert beside(result, "dW1 = X.T @ dZ1") == ["↳B·dW1 [D, H]"]
    assert beside(result, 'dZ1 = dH1 * (cache["Z1"] > 0)') == ["↳B·dZ1 [B, H]", "mask(Z1) [B, H]"]


def test_a_wrong_forward_is_named_by_what_it_should_be(engine: Engine) -> None:
    result = graded(engine, "uma-krishnan")
    assert beside(result, "Z1 = np.matmul(X, W1)") == ["✗X @ W1 [B, H]"]
    assert beside(result, "H1 = np.maximum(Z1, 0)") == ["↳H1 [B, H]"]
    assert beside(result, "dX = np.matmul(dZ1, W1.T)") == ["↳dX [B, D]"]
    assert causes(result) == {"bias-missing"}


def test_right_numbers_in_a_wrong_shape_are_wrong(engine: Engine) -> None:
    assert beside(graded(engine, "samira-el-amin"), "db1 = np.sum(") == ["✗db1 [1, H]"]
    assert beside(graded(engine, "carlos-mendoza"), "dW1 = dZ1 @ A0.T") == ["✗dW1.T [H, D]"]
    assert beside(graded(engine, "carlos-mendoza"), "dZ2 /= m") == ["dZ2.T [C, B]"]


def test_a_layer_used_twice_shows_both_values(engine: Engine) -> None:
    shown = beside(graded(engine, "george-papadakis"), "return x @ self.W + self.b")
    assert shown == ["Z1 [B, H]", "Z2 [B, C]"]


def test_a_loop_shows_what_it_fills_in_the_end(engine: Engine) -> None:
    assert beside(graded(engine, "beatriz-costa"), "dW1[:, j] += dz1 * X[i]") == ["dW1 [D, H]"]


def test_the_first_wrong_expression_of_what_nothing_predicts(engine: Engine) -> None:
    result = engine.grade(variant(("dH1 * (Z1 > 0)", "np.sin(dH1 * 9) * (Z1 > 0.1)")))
    here = [a for a in result.annotations if a.right is Standing.WRONG]
    assert {(a.because, a.line) for a in here} == {(("grad-unexplained",), 74)}
    assert beside(result, "dW1 = X.T @ dZ1") == ["↳ [D, H]"]
    assert beside(result, "dH1 = dZ2 @ W2.T") == ["dH1 [B, H]"]


def test_the_part_in_pytorch_where_it_was_traced(engine: Engine) -> None:
    result = graded(engine, "quentin-moreau")
    assert beside(result, 'reduction="sum")') == ["✗B·loss a scalar"]
    assert beside(result, "logits = F.relu(X @ W1 + b1)")[0] == "Z2 [B, C]"
    assert {a.phase for a in result.annotations} == {"forward", "backward", "torch"}


def test_a_backward_that_raises_keeps_what_was_seen_before(engine: Engine) -> None:
    told = graded(engine, "abel-tesfaye").annotations
    assert {"Z1", "H1", "Z2", "loss"} <= {a.tensor for a in told}


def test_no_line_is_crowded(engine: Engine) -> None:
    crowded = variant(
        (
            "    dZ1 = dH1 * (Z1 > 0)",
            "    dZ1 = dH1 * (Z1 > 0); X + 1; W1 + 1; W2 + 1; H1 + 1; P + 1; Z1 + 1",
        )
    )
    told = [a for a in engine.grade(crowded).annotations if a.line == 74]
    assert len(told) == MAX_PER_LINE
    assert told[0].tensor == "dZ1"
