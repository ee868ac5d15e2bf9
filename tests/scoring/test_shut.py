"""What a proven defect shuts is not earned, whatever the numbers of its checks say."""

from __future__ import annotations

import pytest

from grader.records import Charge, CheckStatus, Confidence, Defect, Finding, Grade
from grader.rubric import Deductions
from grader.scoring import grade
from tests.scoring.graded import FAIL, MANUAL, PASS, Declared, item, points, rubric

IDS = ("backward.dW1", "backward.stable", "pytorch.dW1", "pytorch.dX", "pytorch.graph",
       "pytorch.autograd", "forward.loss")  # fmt: skip
RUBRIC = rubric(
    *(item(id.replace(".", "-").lower(), 4, id) for id in IDS),
    deductions=Deductions(codes={"torch-manual-gradient": 1}),
)


def defect(code: str, *tensors: str, confidence: Confidence = Confidence.PROVEN) -> Defect:
    """Return a defect of this kind."""
    from grader.defects.make import make

    return make(code, "said", tensors, confidence)


def graded(*defects: Defect, **statuses: CheckStatus) -> Grade:
    """Return the grade where all pass but for `statuses`, by id with `_` for the dot."""
    by_id = dict.fromkeys(IDS, PASS) | {k.replace("_", ".", 1): s for k, s in statuses.items()}
    findings = [Finding(check, status, "said") for check, status in by_id.items()]
    declared = {check: Declared(check) for check in IDS}
    return grade(RUBRIC, findings, declared, defects=defects)


def test_a_whole_part_is_shut_and_nothing_is_given_back() -> None:
    made = graded(defect("numeric-gradient", "W1"))
    assert made.score == 28 - 8
    assert {c.id for c in made.checks if c.status is FAIL} == {"backward.dW1", "backward.stable"}
    assert points(made)["backward.dW1"] == (0, 4)
    assert made.charges == (Charge("numeric-gradient", 8.0),)


def test_it_is_said_at_the_top_and_beside_the_check() -> None:
    made = graded(defect("numeric-gradient"))
    assert any("not earned" in sentence for sentence in made.gates)
    (check,) = (c for c in made.checks if c.id == "backward.stable")
    assert check.message == "Not earned: said" and check.explained_by == ("numeric-gradient",)


def test_only_the_named_tensors_are_shut_and_the_deduction_is_no_limit() -> None:
    made = graded(defect("torch-manual-gradient", "X"), pytorch_autograd=FAIL)
    failed = {c.id for c in made.checks if c.status is FAIL}
    assert failed == {"pytorch.dX", "pytorch.graph", "pytorch.autograd"}
    assert made.score == 28 - 12


@pytest.mark.parametrize("status", [FAIL, MANUAL])
def test_what_failed_or_is_open_already_stays_so(status: CheckStatus) -> None:
    made = graded(defect("numeric-gradient"), backward_stable=status)
    (check,) = (c for c in made.checks if c.id == "backward.stable")
    assert (check.status, check.message) == (status, "said")


def test_what_is_only_likely_shuts_nothing() -> None:
    assert graded(defect("numeric-gradient", confidence=Confidence.LIKELY)).score == 28


def test_what_needs_review_costs_nothing_and_is_said_at_the_top() -> None:
    made = graded(defect("gradient-method-unclear"))
    assert made.score == 28
    assert made.gates == ("Needs review: said",)
