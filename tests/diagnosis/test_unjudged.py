"""What is unjudged, what is judged in part, and what is a zero."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checks import ALL_CHECKS, View, run_checks
from grader.cohort import Engine
from grader.diagnosis import call_defects, set_aside, unjudged
from grader.intake import take_in
from grader.records import (
    CheckStatus,
    Ended,
    GradeStatus,
    SourceFile,
    Submission,
    UnjudgedReason,
)
from grader.source.program import Program
from grader.source.work import work_places
from tests.checks.simulation import ends, simulated

HAND = "def vor(a, g, w):\n    return a @ w\ndef rueck(a, g, w):\n    return a.T @ g\n"
TORCH = "import torch\ndef train(net, x, t):\n    torch.nn.functional.cross_entropy(net, t).backward()\n"
BLANK = "def forward(X, y, W1, b1, W2, b2):\n    pass\n"


def seen(source: str, *missing: str) -> tuple[Submission, View]:
    """An answer of which the calls in `missing` are not there."""
    one = Submission("ada", "Ada", "", (SourceFile("solution.py", source.encode()),), "solution.py")
    gone = Ended.MISSING, "found `vor(a)`"
    view = simulated(*(ends(f"{part}/", *gone) for part in missing))
    work = work_places(Program(one))
    return one, View(view.exam, view.observations, work=work)


def test_what_cannot_be_called_is_unjudged_and_says_what_would_help() -> None:
    why = unjudged(*seen(HAND, "forward", "backward", "torch"))
    assert why is not None
    assert why.reason is UnjudgedReason.UNCALLED
    assert why.settings == ("names:", "  forward: vor", "  backward: rueck")
    assert [attempt.error for attempt in why.attempts] == ["found `vor(a)`"]
    assert why.found[0] == "`vor(a, g, w)` (solution.py, line 1)"


def test_without_the_part_by_hand_a_right_pytorch_part_is_no_score() -> None:
    assert unjudged(*seen(HAND, "forward", "backward")) is not None


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        (HAND, ()),
        (HAND, ("torch",)),
        (HAND + TORCH, ("torch",)),
        (BLANK, ("forward", "backward", "torch")),
        ("print('Hello')", ("forward", "backward", "torch")),
    ],
)
def test_what_was_called_or_computes_nothing_is_judged(
    source: str, missing: tuple[str, ...]
) -> None:
    assert unjudged(*seen(source, *missing)) is None


def test_a_pytorch_part_that_cannot_be_called_is_left_to_a_person() -> None:
    one, view = seen(HAND + TORCH, "torch")
    findings = {f.check: f for f in run_checks(ALL_CHECKS, view)}
    assert findings["pytorch.runs"].status is CheckStatus.MANUAL
    assert findings["pytorch.dW1"].status is CheckStatus.MANUAL
    assert findings["backward.dW1"].status is CheckStatus.PASS
    defects = call_defects(one, view, list(findings.values()))
    assert "missing-function" not in {d.code for d in defects}


def test_a_pytorch_part_that_is_not_there_is_missing() -> None:
    one, view = seen(HAND, "torch")
    findings = {f.check: f for f in run_checks(ALL_CHECKS, view)}
    assert findings["pytorch.runs"].status is CheckStatus.FAIL
    defects = call_defects(one, view, list(findings.values()))
    assert "missing-function" in {d.code for d in defects}


def test_nothing_counts_against_what_is_unjudged() -> None:
    _, view = seen(HAND, "forward", "backward", "torch")
    statuses = {f.status for f in set_aside(run_checks(ALL_CHECKS, view))}
    assert statuses <= {CheckStatus.PASS, CheckStatus.MANUAL}


FILES = {
    "a blank starter": ({"solution.py": BLANK.encode()}, GradeStatus.GRADED),
    "losses and gradients that are None": (
        {"solution.py": b"def forward(X, y, W1, b1, W2, b2):\n    loss = None\n    return loss, {}\n"},
        GradeStatus.GRADED,
    ),
    "an empty file": ({"solution.py": b""}, GradeStatus.GRADED),
    "a crash": ({"solution.py": b"def forward(X, y, W1, b1, W2, b2):\n    return X @ W2, 1\n"
                 b"def backward(cache):\n    return cache.T @ 1\n"}, GradeStatus.GRADED),
    "other names and arguments": ({"solution.py": HAND.encode()}, GradeStatus.UNJUDGED),
    "another encoding": ({"solution.py": b"# caf\xe9\n" + HAND.encode()}, GradeStatus.UNJUDGED),
    "half a notebook": ({"a.ipynb": b'{"cells": ['}, GradeStatus.UNJUDGED),
    "a document": ({"answer.pdf": b"%PDF-1.4"}, GradeStatus.UNJUDGED),
    "nothing": ({}, GradeStatus.UNJUDGED),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_no_answer_is_zero_because_it_could_not_be_called(
    what: str, engine: Engine, tmp_path: Path
) -> None:
    files, status = FILES[what]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    result = engine.grade(take_in(tmp_path))
    grade = result.grade
    assert (grade.status, grade.band is None) == (status, status is GradeStatus.UNJUDGED)
    assert grade.max_score == 80.0
    assert (result.unjudged is not None) == (status is GradeStatus.UNJUDGED)
    if status is GradeStatus.UNJUDGED:
        assert grade.unjudged == grade.max_score
    else:
        assert grade.score < 1.0
