"""Each row of the fault table, put into the reference, is found again; so are pairs of rows."""

from __future__ import annotations

import random

import numpy as np
import pytest

from grader.defects.explanation import HUGE
from grader.defects.table import (
    DH1_ROWS,
    DZ1_ROWS,
    DZ2_ROWS,
    FORWARD_ROWS,
    LEAF_ROWS,
    P_ROWS,
    UNSTABLE_P,
)
from grader.diagnosis.match import explain
from grader.diagnosis.passes import own_top
from grader.diagnosis.predictions import Predictions
from grader.problem import set_paper
from grader.problem.network import LEAVES, Fault
from tests.diagnosis.planted import AMOUNT, outputs, row

OF_LEAVES = tuple(row for rows in LEAF_ROWS.values() for row in rows)
BACKWARD_ROWS = (*P_ROWS, *DZ2_ROWS, *DZ1_ROWS, *OF_LEAVES)

ALIKE = {
    ("grad-double-batch-mean", "bias-grad-mean"),
    ("relu-mask-is-activation", "relu-mask-inverted"),
    ("bias-grad-mean", "grad-double-batch-mean"),
    ("loss-log-epsilon", "loss-log-underflow"),
}
"""(planted, found): rows whose numbers are the same; both names are right."""


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    return Predictions(set_paper(11))


def codes(predictions: Predictions, forwards=(), backwards=(), free=()) -> list[str]:
    found = explain(predictions, *outputs(predictions, forwards, backwards, free))
    unexplained = [f"unexplained {t}" for t in found.unexplained]
    named = [f.fault.code for f in (*found.forward, *found.backward)]
    return [*dict.fromkeys(named), *unexplained]


def name(row: Fault) -> str:
    return f"{row.step}-{row.code}-{row.variant}"


def shows(predictions: Predictions, row: Fault) -> bool:
    """Whether the row changes a number at all (an epsilon of 1e-300 may not)."""
    right, wrong = outputs(predictions, (), ()), outputs(predictions, (row,), ())
    return any(
        wrong[0][c] is None
        or right[0][c].shape != wrong[0][c].shape
        or not np.allclose(right[0][c], wrong[0][c], rtol=1e-12)
        for c in right[0]
    )


def test_the_reference_needs_no_explanation(predictions: Predictions) -> None:
    assert codes(predictions) == []


@pytest.mark.parametrize("row", FORWARD_ROWS, ids=name)
def test_a_row_of_the_forward_is_found_again(row: Fault, predictions: Predictions) -> None:
    if not shows(predictions, row):
        return
    losses, _ = outputs(predictions, (row,), ())
    if losses["primes"] is None:
        return  # it raises on ordinary input: how the call ended says so
    found = codes(predictions, (row,))
    assert found, "nothing was found"
    assert row.code == found[0] or (row.code, found[0]) in ALIKE, found
    assert len([c for c in found if c != "loss-log-underflow"]) <= 1, found


@pytest.mark.parametrize("row", BACKWARD_ROWS, ids=name)
def test_a_row_of_the_backward_is_found_again(row: Fault, predictions: Predictions) -> None:
    if "capped at 6" in row.variant:
        return  # ordinary input stays below 6
    found = codes(predictions, (), (row,))
    assert len(found) == 1, found
    assert row.code == found[0] or (row.code, found[0]) in ALIKE, found


def test_pairs_of_rows_are_found_again(predictions: Predictions) -> None:
    """A hundred pairs of one forward and one backward row, or of two backward rows."""
    rng = random.Random(3)
    plain = [r for r in BACKWARD_ROWS if "capped at 6" not in r.variant]
    loud = [
        r
        for r in FORWARD_ROWS
        if r.step in ("Z1", "H1", "Z2", "loss")
        and not r.direction
        and "capped at 6" not in r.variant
    ]
    missed = []
    for index in range(100):
        second = rng.choice(plain)
        first = rng.choice(loud) if index % 2 else rng.choice(plain)
        if (
            first.step == second.step
            or outputs(predictions, (first,) if index % 2 else (), ())[0]["primes"] is None
        ):
            continue
        forwards = (first,) if index % 2 else ()
        backwards = (second,) if index % 2 else (first, second)
        found = codes(predictions, forwards, backwards)
        wanted = {first.code, second.code}
        if not wanted <= set(found) | {a for a, b in ALIKE if b in found}:
            missed.append((name(first), name(second), found))
    assert len(missed) <= 3, missed  # pairs that cancel look like one: 1/B twice above, none below


# ── what follows from a wrong loss ───────────────────────────────────────────


@pytest.mark.parametrize(
    "wrong",
    [r for r in FORWARD_ROWS if r.step in ("P", "picked", "loss") and own_top((r,), AMOUNT)],
    ids=name,
)
def test_the_gradient_of_a_wrong_loss_is_no_second_fault(
    wrong: Fault, predictions: Predictions
) -> None:
    """As autograd has it: all that the table knows of the loss, none of the backward."""
    own = own_top((wrong,), AMOUNT)
    losses, _ = outputs(predictions, (wrong,), ())
    if (
        losses["primes"] is None
        or losses["primes"].ndim
        or wrong.code in (*HIDDEN, "loss-log-epsilon")
    ):
        return  # it raises, or it does not show on ordinary input
    found = codes(predictions, (wrong,), (), (own,))
    assert [c for c in found if c not in HIDDEN] == [wrong.code], found


HIDDEN = ("loss-log-underflow",)
"""Also true of a loss that takes the log of its own P."""


def test_the_gradient_of_another_wrong_loss_is_a_second_fault(predictions: Predictions) -> None:
    gather = row(FORWARD_ROWS, "loss-wrong-gather", "class 0")
    other = own_top((row(FORWARD_ROWS, "loss-wrong-gather", "the last class"),), 0.0)
    found = codes(predictions, (gather,), (), (other,))
    assert "loss-wrong-gather" in found
    assert any(c.startswith("unexplained") for c in found)


def test_probabilities_made_by_the_wrong_log_are_no_second_fault(predictions: Predictions) -> None:
    log2 = row(FORWARD_ROWS, "loss-log-base", "log2 of the sum")
    spoilt = Fault("P_used", "", log2.probabilities, code=log2.code)
    assert codes(predictions, (log2,), (), (spoilt,)) == ["loss-log-base"]


# ── two at once ──────────────────────────────────────────────────────────────


def test_softmax_that_only_backward_uses_is_named_on_huge_logits(predictions: Predictions) -> None:
    for unstable in UNSTABLE_P:
        assert codes(predictions, (), (unstable,)) == [unstable.code]


def test_an_activation_that_overflows_is_not_the_softmax_s_fault(predictions: Predictions) -> None:
    softplus = [r for r in FORWARD_ROWS if r.variant.startswith("softplus")]
    losses, _ = outputs(predictions, (softplus[1],), ())
    assert not np.isfinite(losses["offsets"])
    for spelling in softplus:
        assert codes(predictions, (spelling,)) == ["relu-replaced"]


@pytest.mark.parametrize("factor", DH1_ROWS, ids=name)
def test_a_factor_and_a_gate_are_two(factor: Fault, predictions: Predictions) -> None:
    gate = row(DZ1_ROWS, "relu-mask-inverted")
    assert sorted(codes(predictions, (), (factor, gate))) == sorted((factor.code, gate.code))


def test_a_constant_in_place_of_B_and_a_mean_for_a_sum(predictions: Predictions) -> None:
    constant, mean = row(DZ2_ROWS, "hard-coded-size"), row(LEAF_ROWS["b2"], "bias-grad-mean")
    assert codes(predictions, (), (constant, mean)) == ["hard-coded-size", "bias-grad-mean"]


def test_a_factor_missing_in_two_tensors_is_one_fault(predictions: Predictions) -> None:
    """Not one in dZ2 that another undoes below."""
    missing = [row(LEAF_ROWS[leaf], "grad-missing-batch-mean") for leaf in ("W2", "b2")]
    assert codes(predictions, (), missing) == ["grad-missing-batch-mean"]


def test_a_sign_and_a_wrong_gather(predictions: Predictions) -> None:
    crossed = row(FORWARD_ROWS, "loss-wrong-gather", "z[:, y] against the rows' sums")
    sign = row(FORWARD_ROWS, "loss-sign")
    assert set(codes(predictions, (crossed, sign))) == {"loss-wrong-gather", "loss-sign"}


def test_a_term_in_the_loss_hides_no_overflow(predictions: Predictions) -> None:
    term = row(FORWARD_ROWS, "loss-extra-term", "the magnitudes of W2")
    shift = row(FORWARD_ROWS, "softmax-no-max-shift")
    assert set(codes(predictions, (term, shift))) == {"loss-extra-term", "softmax-no-max-shift"}


# ── nothing fits ─────────────────────────────────────────────────────────────


def test_gradients_of_zero_are_not_guessed_at(predictions: Predictions) -> None:
    losses, gradients = outputs(predictions, (), ())
    zero = {t: {c: 0.0 * g for c, g in by.items()} for t, by in gradients.items()}
    found = explain(predictions, losses, zero)
    assert not found.backward
    assert set(found.unexplained) == set(LEAVES)


def test_a_strange_loss_leaves_the_gradients_alone(predictions: Predictions) -> None:
    losses, gradients = outputs(predictions, (), ())
    strange = {case: np.sqrt(loss) for case, loss in losses.items()}
    found = explain(predictions, strange, gradients)
    assert (found.forward, found.backward, found.unexplained) == ((), (), ("loss",))


def test_a_strange_loss_of_named_wrong_probabilities_follows_from_them(
    predictions: Predictions,
) -> None:
    columns = row(P_ROWS, "softmax-wrong-axis", "normalised over the batch")
    losses, gradients = outputs(predictions, (), (columns,))
    strange = {case: np.sqrt(np.abs(loss)) for case, loss in losses.items() if case not in HUGE}
    found = explain(predictions, strange, gradients)
    assert [f.fault.code for f in found.backward] == ["softmax-wrong-axis"]
    assert found.unexplained == ()
