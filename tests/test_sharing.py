"""The shipped samples are graded once a session, and nothing else is taken for one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.cohort import Engine
from tests.sharing import sample

NAME = "kenji-tanaka"


def test_a_sample_comes_from_the_shelf_as_it_was(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = sample(NAME)
    assert submission is not None
    first = engine.grade(submission)
    monkeypatch.setattr(Engine, "grade", None)  # whoever grades again fails
    again = engine.grade(submission)
    assert again.grade == first.grade
    assert again.defects == first.defects
    assert again.observations.runs.keys() == first.observations.runs.keys()


def test_an_edited_sample_is_graded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = sample(NAME)
    assert submission is not None
    monkeypatch.setattr(Engine, "grade", lambda self, submission: submission)
    edited = replace(submission, files=submission.files[:0])
    assert engine.grade(edited) is edited


def test_no_sample_has_a_name_that_is_none() -> None:
    assert sample("nobody") is None
