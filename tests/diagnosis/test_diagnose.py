"""All that is known about a submission in; its defects and the checks that they explain out."""

from __future__ import annotations

import pytest

from grader.checks import ALL_CHECKS, View, run_checks
from grader.defects.explanation import Culprit
from grader.defects.table import DZ1_ROWS, FORWARD_ROWS, LEAF_ROWS
from grader.diagnosis.diagnose import Diagnosis, diagnose
from grader.diagnosis.predictions import Predictions
from grader.diagnosis.simulate import simulated as with_faults
from grader.observe.trace import Trace
from grader.records import CheckStatus, Confidence, Ended, Frame, Observation
from tests.checks.simulation import PAPER, Edit, central, ends, exam, put, simulated
from tests.defects.planted_clues import clues_of
from tests.diagnosis.planted import row

SIGN = Culprit(row(FORWARD_ROWS, "loss-sign"))
MASK = Culprit(row(DZ1_ROWS, "relu-mask-missing"), ("W1", "b1", "X"))
SIGN_W2 = Culprit(row(LEAF_ROWS["W2"], "grad-sign"), ("W2",))
SOURCE = (
    "def forward(X, y, W1, b1, W2, b2):\n    pass\n\n\ndef backward(cache):\n    return cache @ 1\n"
)

REFUSED = put("verify/", "accepted", lambda _: False)
"""What a `verify` says that sees wrong gradients."""


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    return Predictions(PAPER)


def no_trace() -> Trace:
    raise AssertionError("the trace of the PyTorch part was asked for")


def planted(*found: Culprit, missing: tuple[str, ...] = (), prefix: str = "backward") -> View:
    """A right answer with these faults in one of its parts."""
    plain = simulated(REFUSED) if found and prefix == "backward" else simulated()
    seen = with_faults(plain.observations, PAPER, found, (), missing, prefix)
    return View(exam(), seen, plain.trace, plain.verification, plain.differences)


def diagnosed(
    view: View, predictions: Predictions, torch_trace=no_trace
) -> tuple[Diagnosis, set[str]]:
    """The diagnosis, and the checks that were lost."""
    findings = run_checks(ALL_CHECKS, view)
    lost = {f.check for f in findings if f.status in (CheckStatus.FAIL, CheckStatus.SKIPPED)}
    one = clues_of(SOURCE).submission
    return diagnose(one, view, findings, predictions, torch_trace), lost


def codes(diagnosis: Diagnosis) -> list[str]:
    return [d.code for d in diagnosis.defects]


def test_the_right_answer_has_no_defect(predictions: Predictions) -> None:
    found, lost = diagnosed(simulated(), predictions)
    assert (found.defects, found.explained, lost) == ((), {}, set())
    assert all(a is not None and a.culprits == () for a in found.accounts)


def test_each_lost_check_is_explained_by_the_fault_that_loses_it(predictions: Predictions) -> None:
    found, lost = diagnosed(planted(MASK, SIGN_W2), predictions)
    assert sorted(codes(found)) == ["grad-sign", "relu-mask-missing"]
    assert found.explained["backward.dW1"] == ("relu-mask-missing",)
    assert found.explained["backward.dW2"] == ("grad-sign",)
    assert set(found.explained) <= lost


def test_only_codes_that_are_proven_explain(predictions: Predictions) -> None:
    view = simulated(put("backward/", "W1", lambda g: g**3), REFUSED)
    found, lost = diagnosed(view, predictions)
    assert codes(found) == ["grad-unexplained"]
    assert found.defects[0].confidence is Confidence.LIKELY
    assert "backward.dW1" in lost and "backward.dW1" not in found.explained


def test_a_missing_gradient_is_a_defect(predictions: Predictions) -> None:
    found, _ = diagnosed(planted(missing=("b2",)), predictions)
    assert codes(found) == ["grad-missing"]
    assert found.defects[0].tensors == ("b2",)
    assert found.explained["backward.db2"] == ("grad-missing",)


def test_an_error_stands_where_it_was_raised(predictions: Predictions) -> None:
    frame = Frame("solution.py", 6, "backward")

    def raises(runs: dict[str, Observation]) -> None:
        for name in [n for n in runs if n.startswith("backward/")]:
            runs[name] = Observation(Ended.RAISED, error="ValueError: no", frames=(frame,))

    found, _ = diagnosed(simulated(raises), predictions)
    (error,) = (d for d in found.defects if d.code == "runtime-error")
    assert (error.file, error.line, error.source) == ("solution.py", 6, "return cache @ 1")


def test_what_shows_in_behaviour_is_found_and_excuses_nothing_that_is_not_simulated(
    predictions: Predictions,
) -> None:
    found, lost = diagnosed(simulated(differences=central(sides=(1,))), predictions)
    assert codes(found) == ["fd-one-sided"]
    assert lost == {"verification.fd_accurate"}
    assert found.explained == {}


def test_a_layers_defect_explains_its_own_check(predictions: Predictions) -> None:
    found, lost = diagnosed(simulated(put("layers/linear", "dW0", lambda a: -a)), predictions)
    assert codes(found) == ["grad-sign"]
    assert found.explained["layers.linear"] == ("grad-sign",)
    assert "layers.linear" in lost


def test_the_trace_of_the_pytorch_part_is_asked_for_by_a_defect_of_it(
    predictions: Predictions,
) -> None:
    asked = []

    def tracer() -> Trace:
        asked.append("now")
        return Trace()

    diagnosed(planted(SIGN), predictions, tracer)
    assert asked == []
    found, _ = diagnosed(planted(SIGN, prefix="torch"), predictions, tracer)
    assert len(found.defects) == 1
    assert found.defects[0].code == "loss-sign"
    assert asked


def test_the_accounts_are_of_numpy_and_of_pytorch(predictions: Predictions) -> None:
    edits: list[Edit] = [ends("torch/", Ended.RAISED)]
    found, _ = diagnosed(simulated(*edits), predictions, Trace)
    ours, theirs = found.accounts
    assert ours is not None and ours.prefix == "backward"
    assert theirs is None
