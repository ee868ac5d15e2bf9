"""What of our own code was changed is told by name."""

from __future__ import annotations

import pytest

from grader.child import harness
from grader.child.trials import response
from grader.child.trials.session import Session


def test_nothing_is_changed_by_itself() -> None:
    assert harness.changed(harness.objects()) == ()


def test_a_function_a_method_and_its_code_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    before = harness.objects()
    monkeypatch.setattr(response, "flipped", lambda *_: None)
    monkeypatch.setattr(Session, "tried", None)
    changed = harness.changed(before)
    assert "grader.child.trials.response.flipped" in changed
    assert "grader.child.trials.session.Session.tried" in changed
    monkeypatch.undo()
    code = response.has_grown.__code__
    try:
        response.has_grown.__code__ = response.refusal.__code__
        assert "grader.child.trials.response.has_grown" in harness.changed(before)
    finally:
        response.has_grown.__code__ = code
