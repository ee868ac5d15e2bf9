"""Every declared check can pass and can fail, and says what it must say."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from grader.checks import ALL_CHECKS, Check
from grader.cohort import Engine
from grader.intake import take_in
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import CheckStatus, Result, SourceFile

ROOT = Path(__file__).parents[2]


EDITS = {
    "forward.shapes": ("W2, Z1, H1, P)", "W2, Z1[:, None, :], H1, P)"),
    "pytorch.pure": (
        "    loss.backward()\n",
        "    loss.backward()\n    W1 -= leaves['W1'].grad.numpy()\n",
    ),
}
"""Checks that no shipped sample fails: an edit of the reference that does."""


@cache
def failed_by_samples() -> dict[str, str]:
    """Check → a shipped sample whose `expected.yaml` says that it fails it."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "submissions").glob("*/expected.yaml")):
        for id in yaml.safe_load(path.read_text())["fails"]:
            found.setdefault(id, path.parent.name)
    return found


@pytest.fixture(scope="module")
def reference_result(engine: Engine) -> Result:
    return engine.grade(take_in(ROOT / "reference"))


@pytest.mark.parametrize("check", ALL_CHECKS, ids=lambda c: c.id)
def test_check_passes_on_the_reference(check: Check, reference_result: Result) -> None:
    graded = {c.id: c.status for c in reference_result.grade.checks}
    assert graded[check.id] is CheckStatus.PASS


@pytest.mark.parametrize("check", ALL_CHECKS, ids=lambda c: c.id)
def test_check_fails_on_some_submission(check: Check, engine: Engine) -> None:
    if check.id in EDITS:
        before, after = EDITS[check.id]
        source = (ROOT / "reference" / "solution.py").read_text()
        assert before in source
        edited = SourceFile("solution.py", source.replace(before, after).encode())
        submission = assemble("edited", "edited", Read((edited,), ()))
    else:
        submission = take_in(ROOT / "submissions" / failed_by_samples()[check.id])
    graded = {c.id: c.status for c in engine.grade(submission).grade.checks}
    assert graded[check.id] is CheckStatus.FAIL


def test_every_check_has_a_unit_test() -> None:
    """The file that mirrors a check's module spoils a right answer so that the check fails."""
    missing = []
    for check in ALL_CHECKS:
        path = f"tests.checks.test_{check.run.__module__.rpartition('.')[2]}"
        tests = import_module(path)
        used = [v for v in vars(tests).values() if isinstance(v, Check | tuple)]
        known = [c for v in used for c in (v if isinstance(v, tuple) else (v,))]
        if check not in known or not hasattr(tests, "fails"):
            missing.append(f"{check.id}: {path}")
    assert missing == []


def test_ids_are_unique_and_needs_come_before() -> None:
    seen: set[str] = set()
    for check in ALL_CHECKS:
        assert check.id not in seen
        assert set(check.needs) <= seen, f"{check.id} needs a check that runs later"
        seen.add(check.id)


@pytest.mark.parametrize("check", ALL_CHECKS, ids=lambda c: c.id)
def test_declaration_is_complete(check: Check) -> None:
    for text in (check.title, check.hint, check.serves, check.asserts):
        assert len(text) > 8
    assert check.hint.endswith("."), "a hint is a sentence"
