"""The engine: a fault of ours leaves a grade undecided, and everybody else alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checks import ALL_CHECKS
from grader.checks.run import run_checks
from grader.checks.seen import Seen
from grader.cohort import Engine, Settings
from grader.intake import take_in
from grader.observe.zygotes import Zygotes
from grader.records import CheckStatus, GradeStatus
from grader.rubric import Rubric

ROOT = Path(__file__).parents[2]


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
    seen = Seen(engine.exam(), observations)

    def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(Seen, "value", breaks)
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


def test_nothing_gradable_is_graded_with_a_reason(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    result = engine.grade(take_in(tmp_path))
    assert result.grade.status is GradeStatus.GRADED
    assert result.grade.score == 0
    assert [d.code for d in result.defects] == ["missing-function"]
