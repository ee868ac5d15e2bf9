"""Mends of the shipped answers, proven in real children; and what is no proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from grader.checks import View
from grader.cohort import Engine, Settings
from grader.diagnosis import Diagnosis
from grader.intake import take_in
from grader.observe.trace import Trace
from grader.observe.zygotes import Zygotes
from grader.records import (
    CheckStatus,
    Confidence,
    Defect,
    Finding,
    Repair,
    Result,
    Severity,
    SourceFile,
    Submission,
)
from grader.repair import Workbench, repaired
from grader.repair.proof import Proof
from grader.report import render_report, result_json
from grader.rubric import Rubric
from tests.sandbox.confined import linux_only

ROOT = Path(__file__).parents[2]
PASS, FAIL = CheckStatus.PASS, CheckStatus.FAIL


@pytest.fixture(scope="module")
def mending(onsite: Rubric, zygotes: Zygotes) -> Engine:
    return Engine(onsite, Settings(seed=1, mends=True), zygotes)


def sample(name: str) -> Submission:
    return take_in(ROOT / "submissions" / name)


def mends(result: Result) -> dict[str, Repair]:
    return {d.code: d.mend for d in result.defects if d.mend is not None}


@linux_only
@pytest.mark.parametrize(
    ("name", "code", "after"),
    [
        ("uma-krishnan", "bias-missing", "Z1 = np.matmul(X, W1) + b1"),
        ("tomasz-nowak", "dw2-from-preactivation", 'dW2 = cache["H1"].T @ dZ2'),
        ("lucia-fernandez", "relu-mask-missing", 'dZ1 = (dZ2 @ W2.T) * (cache["Z1"] > 0)'),
        ("ines-marques", "grad-missing-batch-mean", "dZ2 = dZ2 / X.shape[0]"),
        ("mateusz-kowalski", "relu-mask-from-gradient", 'dz1 = dh1 * (cache["z1"] > 0)'),
        (
            "oliver-grant",
            "softmax-global-max",
            "shifted = logits - np.max(logits, axis=1, keepdims=True)",
        ),
    ],
)
def test_a_sample_is_mended_and_its_grade_is_the_same(
    mending: Engine, engine: Engine, name: str, code: str, after: str
) -> None:
    submission = sample(name)
    result, plain = mending.grade(submission), engine.grade(submission)
    assert result.grade.score == plain.grade.score
    assert [d.code for d in result.defects] == [d.code for d in plain.defects]
    assert not mends(plain)
    mend = mends(result)[code]
    assert after in mend.after.split("\n")
    lines = submission.source.split("\n")
    assert all(row in map(str.strip, lines) for row in mend.before.split("\n") if row)
    failed = {c.id for c in plain.grade.checks if c.status is not PASS}
    assert mend.passes and set(mend.passes) <= failed


@linux_only
def test_the_file_with_the_mend_in_it_passes_what_the_mend_says(mending: Engine) -> None:
    submission = sample("lucia-fernandez")
    mend = mends(mending.grade(submission))["relu-mask-missing"]
    assert mend.words == "With this line changed, every check passes."
    text = submission.source.replace(mend.before, mend.after)
    edited = replace(submission, files=(SourceFile(submission.main, text.encode()),))
    passed = {c.id for c in mending.grade(edited).grade.checks if c.status is PASS}
    assert set(mend.passes) <= passed


@linux_only
def test_a_candidate_sees_no_mend(mending: Engine) -> None:
    result = mending.grade(sample("tomasz-nowak"))
    mend = mends(result)["dw2-from-preactivation"]
    theirs, ours = (render_report(result, audience=a) for a in ("candidate", "interviewer"))
    assert mend.words in ours and 'class="mend"' in ours
    assert mend.words not in theirs and 'class="mend"' not in theirs
    assert mend.after.split("=")[1].strip() not in theirs
    documents = [d["mend"] for d in result_json(result)["defects"] if d["mend"]]
    assert documents[0]["diff"] == mend.diff


@linux_only
def test_the_reference_is_not_tried(mending: Engine) -> None:
    assert mending.grade(take_in(ROOT / "reference")).defects == ()


# ── what is no proof ─────────────────────────────────────────────────────────


def findings(**status: CheckStatus) -> list[Finding]:
    return [Finding(name.replace("_", "."), value, "") for name, value in status.items()]


def proof(before: Sequence[Finding], after: Sequence[Finding]) -> Proof:
    return Proof((), 1, before, after, Submission("id", "name", "", (), ""))


def test_a_proof_gains_something_and_loses_nothing() -> None:
    before = findings(backward_dX=FAIL, backward_db1=FAIL, forward_loss=PASS)
    held = proof(before, findings(backward_dX=PASS, backward_db1=FAIL, forward_loss=PASS))
    assert held.holds and held.gained == ["backward.dX"] and held.left == ["backward.db1"]
    assert held.words(1) == "With this line changed, backward.dX passes."
    assert not proof(before, before).holds
    lost = findings(backward_dX=PASS, backward_db1=PASS, forward_loss=FAIL)
    assert not proof(before, lost).holds


def test_what_a_submission_says_about_itself_is_no_part_of_a_proof() -> None:
    before = findings(backward_dX=FAIL, explanations_shapes=PASS)
    after = findings(backward_dX=PASS, explanations_shapes=FAIL)
    assert proof(before, after).holds
    assert proof(before, after).words(2) == "With these 2 lines changed, every check passes."


def test_the_sentence_names_the_parts_that_are_left_spotless() -> None:
    before = findings(forward_loss=FAIL, backward_dX=FAIL, pytorch_dX=FAIL)
    after = findings(forward_loss=PASS, backward_dX=PASS, pytorch_dX=FAIL)
    sentence = (
        "With this line changed, every check of the forward pass and of the backward pass passes."
    )
    assert proof(before, after).words(1) == sentence


@linux_only
def test_an_examination_that_shows_nothing_leaves_the_defect_as_it_was(
    mending: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = sample("uma-krishnan")
    asked: list[Submission] = []
    examine = Engine._examine

    def only_the_first(engine: Engine, given: Submission) -> tuple[View, list[Finding]]:
        asked.append(given)
        return examine(engine, submission)

    monkeypatch.setattr(Engine, "_examine", only_the_first)
    assert mends(mending.grade(submission)) == {}
    assert len(asked) > 1  # the trial found something, and the examination did not bear it out


def test_no_process_is_asked_for_a_right_submission() -> None:
    def never(*_: object) -> object:
        raise AssertionError("a right submission was tried")

    found = (Defect("relu-zero-convention", Severity.INFO, "", "", (), Confidence.PROVEN, "a", 1),)
    workbench = Workbench(never, never, never)  # type: ignore[arg-type]
    seen = View(None, None, Trace())  # type: ignore[arg-type]
    submission = Submission("id", "name", "", (), "")
    given = findings(forward_loss=PASS)
    assert repaired(submission, seen, given, Diagnosis(found), workbench) == found
