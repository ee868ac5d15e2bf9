"""The forward hypotheses: found by look-up, held against every case, computed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from grader.defects.explanation import HUGE, ORDINARY, same
from grader.defects.table import FORWARD_ROWS
from grader.diagnosis.predictions import Predictions
from grader.problem import set_paper
from tests.diagnosis.planted import AMOUNT, outputs, row


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    return Predictions(set_paper(11))


def test_a_right_submission_asks_for_no_table() -> None:
    fresh = Predictions(set_paper(11))
    losses, _ = outputs(fresh, (), ())
    assert [way.faults for way in fresh.forwards(losses)] == [()]
    assert fresh.flows.keys() == {()}


def test_a_pair_is_found_by_its_loss(predictions: Predictions) -> None:
    tanh = row(FORWARD_ROWS, "relu-replaced", "tanh")
    sign = row(FORWARD_ROWS, "loss-sign")
    losses, _ = outputs(predictions, (tanh, sign), ())
    best = predictions.forwards(losses)[0]
    assert best.codes == {"relu-replaced", "loss-sign"}
    assert best.stable


def test_a_family_is_found_with_its_parameter_beside_another_fault(
    predictions: Predictions,
) -> None:
    term = row(FORWARD_ROWS, "loss-extra-term", "the squares of W1")
    bias = row(FORWARD_ROWS, "bias-missing", "b2")
    losses, _ = outputs(predictions, (term, bias), ())
    best = predictions.forwards(losses)[0]
    assert best.codes == {"loss-extra-term", "bias-missing"}
    assert best.amount == pytest.approx(AMOUNT, rel=1e-9)


def test_a_term_may_have_the_coefficient_one(predictions: Predictions) -> None:
    term = row(FORWARD_ROWS, "loss-extra-term", "the squares of W2")
    losses, _ = outputs(predictions, (term,), (), amount=1.0)
    best = predictions.forwards(losses)[0]
    assert (best.codes, best.amount) == ({"loss-extra-term"}, pytest.approx(1.0))


def test_a_sum_in_single_precision_is_no_constant(predictions: Predictions) -> None:
    losses, _ = outputs(predictions, (row(FORWARD_ROWS, "loss-sum-not-mean"),), ())
    single = {case: losses[case].astype(np.float32) for case in ORDINARY}
    assert predictions.forwards(single, 1e-4)[0].codes == {"loss-sum-not-mean"}


def test_what_fits_on_one_case_has_to_fit_on_all(predictions: Predictions) -> None:
    sign = row(FORWARD_ROWS, "loss-sign")
    losses, _ = outputs(predictions, (sign,), ())
    assert predictions.forwards(losses)
    losses["batch_is_hidden"] = losses["batch_is_hidden"] * 1.001
    assert predictions.forwards(losses) == []


def test_huge_logits_decide_between_hypotheses_that_are_alike(predictions: Predictions) -> None:
    columns = row(FORWARD_ROWS, "softmax-wrong-axis", "normalised over the batch, shifted by row")
    none = row(FORWARD_ROWS, "softmax-no-max-shift")
    steady, _ = outputs(
        predictions, (row(FORWARD_ROWS, "softmax-wrong-axis", "normalised over the batch"),), ()
    )
    loose, _ = outputs(predictions, (columns, none), ())
    ordinary = [case for case in steady if case not in HUGE]
    assert all(same(steady[case], loose[case]) for case in ordinary)
    assert predictions.forwards(steady)[0].codes == {"softmax-wrong-axis"}
    assert predictions.forwards(loose)[0].codes == {"softmax-wrong-axis", "softmax-no-max-shift"}


def test_threads_share_one_table() -> None:
    shared = Predictions(set_paper(12))
    plain = Predictions(set_paper(12))
    rows = [r for r in FORWARD_ROWS if r.step == "loss" and r.scale is not None]
    bias = row(FORWARD_ROWS, "bias-missing", "b1")
    seen = [outputs(plain, (bias, r), ())[0] for r in rows]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(shared.forwards, seen))
    assert [ways[0].codes for ways in found] == [{"bias-missing", r.code} for r in rows]


@pytest.mark.parametrize(
    ("predicted", "seen", "holds"),
    [
        (np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-12]), True),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-6]), False),
        (np.array([1.0, 2.0]), np.array([[1.0, 2.0]]), False),
        (np.array([1.0, np.nan]), np.array([1.0, np.inf]), True),
        (np.array([1.0, np.inf]), np.array([2.0, np.inf]), False),
        (np.array([1.0, 2.0]), np.array([1.0, np.nan]), False),
        (np.array([np.nan]), np.array([np.nan]), True),
        (np.zeros(2), np.full(2, 1e-16), True),
        (None, None, True),
        (None, np.zeros(2), False),
    ],
)
def test_when_a_prediction_holds(predicted, seen, holds: bool) -> None:
    assert same(predicted, seen) is holds
