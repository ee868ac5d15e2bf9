"""From numbers to defects: what explains each part, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from grader.checks import View
from grader.defects.explanation import Account, Culprit, Explanation
from grader.defects.table import DZ1_ROWS, FORWARD_ROWS, LEAF_ROWS
from grader.diagnosis.numeric import code_of, defects_of, explain_numpy, explain_torch
from grader.diagnosis.predictions import Predictions
from grader.diagnosis.simulate import simulated as with_faults
from grader.records import TENSORS, Confidence, Defect, Ended, Part
from tests.checks.simulation import PAPER, Edit, ends, exam, put, simulated
from tests.defects.planted_clues import clues_of
from tests.diagnosis.planted import row

SIGN = Culprit(row(FORWARD_ROWS, "loss-sign"))
SUM = Culprit(row(FORWARD_ROWS, "loss-sum-not-mean"))
MASK = Culprit(row(DZ1_ROWS, "relu-mask-missing"), ("W1", "b1", "X"))
SIGN_W2 = Culprit(row(LEAF_ROWS["W2"], "grad-sign"), ("W2",))


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    return Predictions(PAPER)


def planted(*found: Culprit, missing: tuple[str, ...] = (), prefix: str = "backward") -> View:
    """A right answer with these faults in one of its parts."""
    seen = simulated().observations
    return View(exam(), with_faults(seen, PAPER, found, (), missing, prefix))


def codes(account: Account | None) -> list[str]:
    assert account is not None
    return [c.fault.code for c in account.culprits]


def said(
    view: View, account: Account | None, predictions: Predictions, *following: str
) -> list[Defect]:
    assert account is not None
    clues = clues_of("", view=view)
    return [defect for defect, _ in defects_of(account, clues, predictions, following)]


# ── explaining ───────────────────────────────────────────────────────────────


def test_a_right_answer_needs_no_explanation(predictions: Predictions) -> None:
    for explain, prefix in ((explain_numpy, "backward"), (explain_torch, "torch")):
        account = explain(simulated(), predictions)
        assert account == Account(prefix, Explanation(), ())


def test_planted_faults_are_found_with_their_tensors(predictions: Predictions) -> None:
    account = explain_numpy(planted(SIGN, MASK), predictions)
    assert codes(account) == ["loss-sign", "relu-mask-missing"]
    assert account is not None
    assert set(account.culprits[1].tensors) == {"W1", "b1", "X"}
    assert account.explanation.unexplained == ()


def test_gradients_that_never_came_are_missing(predictions: Predictions) -> None:
    account = explain_numpy(planted(missing=("b2", "X")), predictions)
    assert account == Account("backward", Explanation(), ("b2", "X"))


def test_without_any_gradient_the_forward_alone_is_explained(predictions: Predictions) -> None:
    account = explain_numpy(planted(SIGN, missing=TENSORS), predictions)
    assert codes(account) == ["loss-sign"]
    assert account is not None
    assert (account.missing, account.explanation.unexplained) == ((), ())


@pytest.mark.parametrize(
    "edit",
    [
        ends("forward/", Ended.RAISED),
        put("forward/primes/again", "loss", lambda loss: loss + 1.0),
    ],
    ids=["no loss at all", "another loss each time"],
)
def test_some_answers_are_no_case_for_a_table(edit: Edit, predictions: Predictions) -> None:
    assert explain_numpy(simulated(edit), predictions) is None


def test_a_pytorch_part_without_a_loss_has_no_account(predictions: Predictions) -> None:
    assert explain_torch(simulated(ends("torch/", Ended.RAISED)), predictions) is None


def test_gradients_that_add_up_are_judged_by_the_first(predictions: Predictions) -> None:
    def totals(grads: np.ndarray) -> np.ndarray:
        return 2 * grads

    edits = [put("backward/", t, totals) for t in TENSORS]
    edits += [put("backward/primes", t, lambda g: g / 2) for t in TENSORS]
    edits += [put("backward/primes/again", t, lambda g: g * 2) for t in TENSORS]
    account = explain_numpy(simulated(*edits), predictions)
    assert account == Account("backward", Explanation(), ())


def test_what_is_cut_off_in_pytorch_is_no_wrong_formula(predictions: Predictions) -> None:
    cut = simulated(*(put("torch/", t, lambda g: 0 * g) for t in ("W1", "b1")))
    account = explain_torch(cut, predictions)
    assert account is not None
    assert account.culprits == ()
    assert account.explanation.unexplained == ()


def test_single_precision_in_pytorch_is_read_coarsely(predictions: Predictions) -> None:
    def rounded(array: np.ndarray) -> np.ndarray:
        return array.astype(np.float32)

    single = simulated(*(put("torch/", n, rounded) for n in ("loss", *TENSORS)))
    assert explain_torch(single, predictions) == Account("torch", Explanation(), ())


# ── saying ───────────────────────────────────────────────────────────────────


def test_a_defect_has_its_part_its_tensors_and_its_numbers(predictions: Predictions) -> None:
    view = planted(SIGN, SIGN_W2)
    loss, grad = said(view, explain_numpy(view, predictions), predictions)
    assert (loss.code, loss.part, loss.tensors) == ("loss-sign", Part.FORWARD, ())
    assert (grad.code, grad.part, grad.tensors) == ("grad-sign", Part.BACKWARD, ("W2",))
    assert (loss.confidence, grad.confidence) == (Confidence.PROVEN, Confidence.PROVEN)
    assert "the loss is -1 × what is expected at B=" in loss.message
    assert "dW2 is -1 × what is expected at B=" in grad.message


def test_the_pytorch_part_has_its_own_codes(predictions: Predictions) -> None:
    view = planted(SUM, prefix="torch")
    account = explain_torch(view, predictions)
    (defect,) = said(view, account, predictions)
    assert (defect.code, defect.part) == ("torch-reduction-sum", Part.PYTORCH)
    assert defect.message.startswith("PyTorch part: ")
    assert account is not None
    assert code_of(SUM.fault, account) == "torch-reduction-sum"
    assert code_of(SUM.fault, Account("backward", Explanation(), ())) == "loss-sum-not-mean"
    assert code_of(MASK.fault, account) == "relu-mask-missing"


def test_what_nothing_predicts_is_said_with_its_factor(predictions: Predictions) -> None:
    view = simulated(put("backward/", "W1", lambda g: 3.7 * g))
    (defect,) = said(view, Account("backward", Explanation((), (), ("W1",)), ()), predictions)
    assert (defect.code, defect.tensors) == ("grad-unexplained", ("W1",))
    assert defect.confidence is Confidence.LIKELY
    assert "dW1: wrong in a way that no known mistake predicts, 3.7 × what is" in defect.message


def test_the_gradients_of_a_wrong_loss_itself_are_no_second_bug(predictions: Predictions) -> None:
    account = Account("backward", Explanation((), (), ("loss", "W1", "b1")), ())
    loss, grad = said(simulated(), account, predictions, "W1", "W2")
    assert (loss.code, loss.tensors) == ("loss-unexplained", ("W1",))
    assert loss.message.endswith("The gradients are those of this loss.")
    assert (grad.code, grad.tensors) == ("grad-unexplained", ("b1",))


def test_a_fault_that_numbers_do_not_bear_out_is_likely(predictions: Predictions) -> None:
    account = Account("backward", Explanation((SIGN,), (), (), open_forward=True), ())
    (defect,) = said(planted(SIGN), account, predictions)
    assert defect.confidence is Confidence.LIKELY


def test_a_tensor_that_is_wrong_in_another_way_too_is_left_out(predictions: Predictions) -> None:
    view = planted(MASK)
    mask, other = said(view, Account("backward", Explanation((), (MASK,), ("X",)), ()), predictions)
    assert (mask.code, mask.tensors) == ("relu-mask-missing", ("W1", "b1"))
    assert (other.code, other.tensors) == ("grad-unexplained", ("X",))


def test_the_values_by_which_the_line_is_found_are_the_wrong_ones(predictions: Predictions) -> None:
    view = planted(SIGN_W2)
    account = explain_numpy(view, predictions)
    assert account is not None
    ((_, found_by),) = defects_of(account, clues_of("", view=view), predictions)
    wrong = view.observations["backward/primes"].arrays["W2"]
    values = [v for witness in found_by for v in witness.values]
    assert any(v.shape == wrong.shape and np.allclose(v, wrong) for v in values)
