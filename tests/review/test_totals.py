"""Marks and overrides count by the rules of scoring, and only for what they were made about."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from grader.review import Folder, open_folder
from grader.review.forms import found_checks
from grader.review.totals import apply_judgements, judgements
from grader.rubric import Rubric
from tests.review.changes import WRONG, override, say
from tests.review.conftest import ANSWERED, OTHER
from tests.review.serving import ITEM, mark


@pytest.fixture
def folder(out: Path) -> Folder:
    return open_folder(out)


def test_a_mark_is_added_to_the_score_and_to_what_it_is_out_of(folder: Folder) -> None:
    before = folder.reviewed(OTHER).document
    say(folder, OTHER, ITEM, mark(1.5, "short"))
    after = folder.reviewed(OTHER).document
    assert after["score"] == before["score"] + 1.5
    assert after["max_score"] == before["max_score"] + 2
    assert after["open_points"] == before["open_points"] - 2
    check = next(c for c in after["checks"] if c["id"] == "followup-q1")
    assert (check["status"], check["points"], check["max_points"]) == ("manual", 1.5, 2.0)
    assert "short" in check["message"]
    part = next(p for p in after["parts"] if p["id"] == "followups")
    assert (part["points"], part["max_points"], part["open_points"]) == (1.5, 2.0, 8.0)
    assert after["review"]["automatic"]["score"] == before["score"]
    assert after["review"]["marks"][0]["who"] == "Ada"


def test_all_marks_together_leave_nothing_open(folder: Folder) -> None:
    document = folder.result(OTHER)
    for check in found_checks(document, folder.rubric(document)):
        if check["status"] == "manual":
            say(folder, OTHER, f"check/{check['id']}", override("pass"))
    rubric = folder.rubric(document)
    for part in rubric.parts:
        for item in part.items:
            if item.manual:
                say(folder, OTHER, f"mark/{item.id}", mark(item.points))
    after = folder.reviewed(OTHER).document
    assert after["open_points"] == 0
    assert after["score"] == after["max_score"] == 100
    assert after["band"] == "strong hire"


def test_an_override_settles_the_defects_and_gates_anew(folder: Folder) -> None:
    before = folder.reviewed(ANSWERED).document
    assert before["score"] < before["max_score"]
    failing = [c["id"] for c in before["checks"] if c["status"] == "fail"]
    for check in failing:
        say(folder, ANSWERED, f"check/{check}", override("pass"))
    after = folder.reviewed(ANSWERED).document
    assert after["score"] == after["max_score"] == before["max_score"]
    assert after["charges"] == []
    assert before["charges"]
    changed = next(c for c in after["checks"] if c["id"] == failing[0])
    assert changed["message"] == "A human says: read it"
    assert changed["evidence"], "what was measured is still told"


def test_an_override_to_failed_takes_the_points(folder: Folder) -> None:
    say(folder, OTHER, f"check/{WRONG}", override("fail"))
    after = folder.reviewed(OTHER).document
    assert after["score"] < after["max_score"]
    assert folder.result(OTHER)["score"] == after["max_score"], "the result stays as it was"


def test_what_is_taken_back_does_not_count(folder: Folder) -> None:
    before = folder.reviewed(OTHER).document["score"]
    say(folder, OTHER, ITEM, mark(1))
    say(folder, OTHER, ITEM, None, base=1)
    assert folder.reviewed(OTHER).document["score"] == before


def test_a_mark_waits_when_the_submission_is_another_and_counts_when_said_again(
    folder: Folder,
) -> None:
    say(folder, OTHER, ITEM, mark(1))
    document = copy.deepcopy(folder.result(OTHER))
    document["submission"]["digest"] = "sha256:other"
    changes = folder.store.latest(OTHER)
    rubric = folder.rubric(document)
    said = judgements(document, rubric, changes)
    assert said[ITEM].why_not == "The submission has changed since."
    after = apply_judgements(document, rubric, said)
    assert after["score"] == document["score"]
    assert after["review"]["marks"][0]["counts"] is False
    confirmed = {ITEM: replace(changes[ITEM], digest="sha256:other")}
    assert apply_judgements(document, rubric, judgements(document, rubric, confirmed))["score"] == (
        document["score"] + 1
    )


def test_a_mark_of_an_item_that_is_worth_something_else_now_does_not_count(folder: Folder) -> None:
    say(folder, OTHER, ITEM, mark(1))
    document = folder.result(OTHER)
    rubric = with_other_points(folder.rubric(document))
    said = judgements(document, rubric, folder.store.latest(OTHER))
    assert said[ITEM].why_not == "The item is worth 3 points now, not 2."


def with_other_points(rubric: Rubric) -> Rubric:
    parts = tuple(
        part.model_copy(
            update={
                "items": tuple(
                    i.model_copy(update={"points": 3.0}) if i.id == "followup-q1" else i
                    for i in part.items
                )
            }
        )
        for part in rubric.parts
    )
    return replace(rubric, parts=parts)
