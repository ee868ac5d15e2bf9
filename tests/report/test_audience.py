"""What reaches a candidate holds no expected value, by whatever way it goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.defects import KINDS
from grader.records import CheckStatus, Defect, Evidence, Result, Severity
from grader.report import for_candidate, json_text, render_report, result_json
from grader.report.audience import told_check, told_defect

EXPECTED = "2.718281"
SEED = 987654321987


@pytest.fixture
def telling(usual: Result) -> Result:
    """A result whose every message and line tells what is expected."""
    line = Evidence("loss", EXPECTED, "1.41421", "primes", "1.92")
    checks = tuple(
        replace(
            check, status=CheckStatus.FAIL, evidence=(line,),
            message=f"loss: got 1.41421; expected {EXPECTED}, on case primes.",
        )
        for check in usual.grade.checks
    )  # fmt: skip
    numeric = next(kind for kind in KINDS if kind.faults)
    bug = Defect(
        numeric.code, Severity.MAJOR, f"It is {EXPECTED} × what is expected.", "h", ("W1",)
    )
    grade = replace(usual.grade, checks=checks)
    return replace(usual, seed=SEED, grade=grade, defects=(bug,))


def test_neither_the_page_nor_the_document_holds_it(telling: Result) -> None:
    kept = json_text(result_json(telling)), render_report(telling, audience="interviewer")
    assert all(EXPECTED in text and str(SEED) in text for text in kept)
    told = (
        json_text(result_json(for_candidate(telling))),
        render_report(telling, audience="candidate"),
    )
    for text in told:
        assert EXPECTED not in text
        assert str(SEED) not in text
        assert "1.41421" in text, "what came is the candidate's own"
    assert result_json(for_candidate(telling))["seed"] is None


def test_a_candidate_is_shown_no_band(usual: Result) -> None:
    band = "Strong hire, or so"
    banded = replace(usual, grade=replace(usual.grade, band=band))
    assert band in render_report(banded, audience="interviewer")
    told = for_candidate(banded)
    assert band not in render_report(told, audience="candidate") + json_text(result_json(told))


def test_a_stored_result_tells_no_more(telling: Result) -> None:
    document = result_json(telling)
    assert told_check(document["checks"][0]) == "loss: 1.41421, on case primes."
    words = told_defect(document["defects"][0])
    assert EXPECTED not in words
    assert words.endswith(": dW1.")
    again = result_json(for_candidate(telling))
    assert told_check(again["checks"][0]) == "loss: 1.41421, on case primes."
    assert told_defect(again["defects"][0]) == words


def test_what_holds_no_expected_value_is_told_as_it_is() -> None:
    check = {"status": "skipped", "message": "Not assessed.", "evidence": []}
    assert told_check(check) == "Not assessed."
    defect = {"code": "runtime-error", "message": "forward: ValueError", "tensors": []}
    assert told_defect(defect) == "forward: ValueError"
