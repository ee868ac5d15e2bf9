"""Marks and overrides count by the rules of scoring, and only for what they were made about."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.errors import CallerError
from grader.review import Folder, open_folder
from grader.review.forms import ChangeRequest, found_checks
from grader.review.totals import judgements, marked
from grader.rubric import Rubric
from tests.review.conftest import ANSWERED, OTHER
from tests.review.serving import ITEM, mark

WRONG = "backward.batch_mean"


@pytest.fixture
def folder(out: Path) -> Folder:
    return open_folder(out)


def say(folder: Folder, id: str, field: str, value: Any, base: int = 0) -> None:
    folder.save(id, ChangeRequest(field=field, value=value, base=base, who="Ada"))


def override(status: str) -> dict[str, str]:
    return {"status": status, "reason": "read it"}


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
    after = marked(document, rubric, said)
    assert after["score"] == document["score"]
    assert after["review"]["marks"][0]["counts"] is False
    confirmed = {ITEM: replace(changes[ITEM], digest="sha256:other")}
    assert marked(document, rubric, judgements(document, rubric, confirmed))["score"] == (
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


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (ITEM, mark(2.5), "more than the 2"),
        (ITEM, mark(-1), "points"),
        (ITEM, mark(float("nan")), "points"),
        (ITEM, {"points": "2"}, "points"),
        (ITEM, {"points": 1.0, "extra": 1}, "extra"),
        ("mark/no-such", mark(1), "no 'mark/no-such'"),
        (f"check/{WRONG}", {"status": "pass", "reason": " "}, "reason"),
        (f"check/{WRONG}", {"status": "manual", "reason": "x"}, "status"),
        ("check/followup-q1", override("pass"), "no 'check/followup-q1'"),
        ("comment/1", {"file": "solution.py", "line": 10_000, "text": "x"}, "no line 10000"),
        ("comment/1", {"file": "/etc/passwd", "line": 1, "text": "x"}, "no line 1"),
        ("comment/../x", {"file": "solution.py", "line": 1, "text": "x"}, "no 'comment"),
        ("whatever", {}, "no 'whatever'"),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_kept(
    folder: Folder, field: str, value: Any, words: str
) -> None:
    with pytest.raises(CallerError, match=words):
        say(folder, ANSWERED, field, value)
    assert folder.store.history(ANSWERED) == ()


def test_a_result_whose_rubric_is_not_here_is_said_to_be_so(folder: Folder) -> None:
    lonely = replace(folder, rubrics={})
    assert lonely.reviewed(OTHER).document["status"] == "graded", "nothing was said: nothing needed"
    with pytest.raises(CallerError, match="--rubric"):
        say(lonely, OTHER, ITEM, mark(1))


def test_a_folder_without_results_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="no result here"):
        open_folder(tmp_path)
