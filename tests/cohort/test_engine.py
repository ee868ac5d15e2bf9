"""The engine: a fault of ours leaves a grade undecided, and everybody else alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.checks import ALL_CHECKS
from grader.checks.run import run_checks
from grader.checks.view import View
from grader.cohort import Engine, Settings
from grader.intake import take_in
from grader.observe.observe import Allowance
from grader.observe.zygotes import Zygotes
from grader.records import CheckStatus, GradeStatus
from grader.rubric import Rubric
from grader.sandbox.session import Child, Reply

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_dead_sandbox_is_undecided_and_no_zero(onsite: Rubric) -> None:
    with Zygotes() as zygotes:
        engine = Engine(onsite, Settings(seed=1), zygotes)
        engine.exam()
        zygotes.close()
        result = engine.grade(take_in(ROOT / "reference"))
    assert result.grade.status is GradeStatus.UNDECIDED
    assert result.grade.band is None
    assert result.grade.max_score == 0
    assert result.fault
    assert result.defects == ()


def test_a_check_that_breaks_is_an_error_and_not_a_fail(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    observations = engine.grade(take_in(ROOT / "reference")).observations
    seen = View(engine.exam(), observations)

    def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(View, "value", breaks)
    findings = {f.check: f for f in run_checks(ALL_CHECKS, seen)}
    assert findings["forward.loss"].status is CheckStatus.ERROR
    assert "grader could not run" in findings["forward.loss"].message
    assert findings["forward.scalar"].status is CheckStatus.PASS


def test_two_threads_share_an_engine(engine: Engine) -> None:
    from concurrent.futures import ThreadPoolExecutor

    submission = take_in(ROOT / "reference")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(engine.grade, [submission] * 12))
    assert {r.grade.score for r in results} == {80.0}


def test_nothing_gradable_is_unjudged_with_a_reason(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    result = engine.grade(take_in(tmp_path))
    assert result.grade.status is GradeStatus.UNJUDGED
    assert result.unjudged is not None
    assert "notes.txt" in result.unjudged.sentence
    assert result.defects == ()


HANGS = "\n\ndef {name}(*arguments):\n    while True:\n        pass\n"


@pytest.mark.parametrize(("name", "traced"), [("forward", False), ("verify", True)])
def test_what_does_not_end_is_not_called_again(
    name: str,
    traced: bool,
    onsite: Rubric,
    zygotes: Zygotes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A trace of it, or trials of it, would only take their whole time too."""
    source = (ROOT / "reference" / "solution.py").read_text()
    (tmp_path / "solution.py").write_text(source + HANGS.format(name=name))
    engine = Engine(onsite, Settings(seed=1, allowance=Allowance(2.0)), zygotes)
    engine.exam()
    asked: list[str] = []
    request = Child.request

    def noted(child: Child, kind: str, *given: Any) -> Reply:
        asked.append(kind)
        return request(child, kind, *given)

    monkeypatch.setattr(Child, "request", noted)
    result = engine.grade(take_in(tmp_path))
    assert "timeout" in {defect.code for defect in result.defects}
    assert ("trace" in asked) == traced
    assert "verify_trials" not in asked  # the reference's `verify` calls its `forward`
    if name == "verify":
        said = {check.id: check.message for check in result.grade.checks}
        assert "did not end when it was called" in said["verification.covers"]


def test_no_time_left_is_no_difference(onsite: Rubric, zygotes: Zygotes, tmp_path: Path) -> None:
    """Calls that are to be compared and did not all end do not differ."""
    late = "\n\ncalls = [0]\nonce = forward\n\ndef forward(*arguments):\n    calls[0] += 1\n"
    late += "    while calls[0] > 2:\n        pass\n    return once(*arguments)\n"
    source = (ROOT / "reference" / "solution.py").read_text()
    (tmp_path / "solution.py").write_text(source + late)
    engine = Engine(onsite, Settings(seed=1, allowance=Allowance(2.0)), zygotes)
    codes = {defect.code for defect in engine.grade(take_in(tmp_path)).defects}
    assert "timeout" in codes
    assert not codes & {"nondeterministic", "hidden-state", "mutates-cache", "grad-accumulates"}
    assert not codes & {"loss-unexplained", "grad-unexplained"}
