"""The mark that a person gives to an answer without a score."""

from __future__ import annotations

from typing import Any

import pytest

from grader.checks import ALL_CHECKS
from grader.errors import CallerError
from grader.records import CheckStatus, Finding
from grader.report.document import grade_json
from grader.review.forms import ChangeRequest, value_to_store
from grader.review.store import Change
from grader.review.totals import apply_judgements, judgements
from grader.rubric import Rubric
from grader.scoring import grade


def unjudged(rubric: Rubric) -> dict[str, Any]:
    findings = [Finding(c.id, CheckStatus.MANUAL, "Not judged.") for c in ALL_CHECKS]
    given = grade(rubric, findings, {c.id: c for c in ALL_CHECKS}, unjudged=True)
    return {
        "submission": {"id": "ada", "digest": "sha256:1"}, "status": given.status.value,
        "reason": "No way to call it was found.", **grade_json(given), "defects": [],
    }  # fmt: skip


def change(field: str, value: dict[str, Any]) -> Change:
    return Change(1, "ada", field, 1, value, "me", "", "sha256:1", "")


def test_an_unjudged_grade_has_no_number_that_could_be_read_as_a_mark(onsite: Rubric) -> None:
    document = unjudged(onsite)
    assert (document["score"], document["band"], document["max_score"]) == (None, None, 80.0)


def test_the_whole_mark_of_a_person_is_the_score(onsite: Rubric) -> None:
    document = unjudged(onsite)
    request = ChangeRequest(field="total/score", value={"points": 77, "note": ""}, base=0, who="me")
    value = value_to_store(request, document, onsite)
    assert value is not None
    judged = judgements(document, onsite, {"total/score": change("total/score", value)})
    total = apply_judgements(document, onsite, judged)
    assert (total["status"], total["score"], total["band"]) == ("graded", 77.0, "strong hire")
    assert total["reason"] is None
    assert total["review"]["automatic"]["score"] is None


def test_a_single_check_does_not_make_a_score(onsite: Rubric) -> None:
    document = unjudged(onsite)
    field = f"check/{ALL_CHECKS[0].id}"
    said = change(field, {"status": "pass", "was": "manual", "reason": "read"})
    total = apply_judgements(document, onsite, judgements(document, onsite, {field: said}))
    assert (total["status"], total["score"]) == ("unjudged", None)


def test_all_checks_together_make_a_score(onsite: Rubric) -> None:
    document = unjudged(onsite)
    said = {
        f"check/{c.id}": change(
            f"check/{c.id}", {"status": "pass", "was": "manual", "reason": "read"}
        )
        for c in ALL_CHECKS
    }
    total = apply_judgements(document, onsite, judgements(document, onsite, said))
    assert (total["status"], total["score"]) == ("graded", 80.0)


def test_no_whole_mark_for_what_has_a_score_or_above_the_maximum(onsite: Rubric) -> None:
    document = unjudged(onsite)
    request = ChangeRequest(field="total/score", value={"points": 81, "note": ""}, base=0, who="me")
    with pytest.raises(CallerError, match="more than the 80"):
        value_to_store(request, document, onsite)
    with pytest.raises(CallerError, match="no 'total/score'"):
        value_to_store(request, {**document, "status": "graded"}, onsite)
