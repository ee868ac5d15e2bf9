"""Answers with a slip are graded as what is behind it, and never as something else."""

from __future__ import annotations

import pytest

from grader.cohort import Engine
from grader.records import CheckStatus, Result, Submission
from grader.repair.correction import Uncorrected, changed
from grader.report import result_json
from tests.benchmarks.repairs import answer, statuses

QUICK = (
    # answer, written, broken, the corrected line
    ("ada-okafor", "return bool(ok)", "return bool(ok", "    return bool(ok)"),
    ("rafael-lima", "W2.T\n", "W2.T'\n", "    dH1 = dZ2 @ W2.T"),
    ("hannah-schmidt", "target) / n", "target] / n", "    delta_out = (probs - target) / n"),
    ("george-papadakis", "self.saved = x\n", "self.saved = x]\n", "        self.saved = x"),
    ("marta-nowicka", "np.heaviside", "np.heavside", None),
)


def broken(name: str, written: str, slip: str) -> Submission:
    whole = answer(name)
    text = whole.source
    assert written in text
    return changed(whole, whole.main, text.replace(written, slip, 1).encode())


def graded(engine: Engine, name: str, written: str, slip: str) -> Result:
    return engine.grade(broken(name, written, slip))


@pytest.mark.parametrize(("name", "written", "slip", "line"), QUICK, ids=[q[0] for q in QUICK])
def test_a_slip_is_corrected_and_charged(
    engine: Engine, name: str, written: str, slip: str, line: str | None
) -> None:
    result, whole = graded(engine, name, written, slip), engine.grade(answer(name))
    assert statuses(result) == statuses(whole)
    assert result.submission.source.count(slip) >= 1, "what is shown is what was handed in"
    [correction] = result.corrections
    assert line is None or correction.after == line
    assert correction.before == result.submission.source.split("\n")[correction.line - 1]
    assert 0 < result.grade.score < whole.grade.score
    cost = sum(charge.points for charge in result.grade.corrected)
    assert result.grade.score == pytest.approx(whole.grade.score - cost)
    assert result.uncorrected == ""
    document = result_json(result)
    assert [c["line"] for c in document["corrections"]] == [correction.line]


def test_two_readings_that_answer_differently_are_none(engine: Engine) -> None:
    result = graded(engine, "emeka-nwosu", "(P - Y) / Y", "(P - Y / Y")
    assert (result.corrections, result.uncorrected) == ((), Uncorrected.SEVERAL)
    assert result.grade.score == 0.0


def test_an_operator_is_not_written_for_anybody(engine: Engine) -> None:
    result = graded(engine, "ada-okafor", "X @ W1 + b1  ", "X W1 + b1  ")
    assert (result.corrections, result.uncorrected) == ((), Uncorrected.IDEA)


def test_a_mistake_behind_a_slip_is_found(engine: Engine) -> None:
    whole = answer("ada-okafor")
    wrong = whole.source.replace(" * (Z1 > 0)", "").replace(
        "def backward(cache):", "def backward(cache)"
    )
    result = engine.grade(changed(whole, whole.main, wrong.encode()))
    codes = {defect.code: defect.line for defect in result.defects}
    line = next(n for n, row in enumerate(wrong.split("\n"), 1) if "(dZ2 @ W2.T)" in row)
    assert codes["relu-mask-missing"] == line, "lines are those of the file"
    assert "syntax-error" in codes
    failed = {c.id for c in result.grade.checks if c.status is CheckStatus.FAIL}
    assert "backward.dW1" in failed
    assert "backward.dW2" not in failed


def test_what_is_merely_wrong_is_left_alone(engine: Engine) -> None:
    result = engine.grade(answer("ada-okafor"))
    assert (result.corrections, result.uncorrected) == ((), "")
