"""What the terminal says of one submission, and of a cohort: in safe words, the bugs first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.cohort import Engine
from grader.cohort.outcomes import Graded
from grader.intake import Cohort, take_in
from grader.terminal import MOST_LINES, Terminal

SAMPLES = Path(__file__).parents[1] / "submissions"


def said(cohort: Cohort, capsys: pytest.CaptureFixture[str]) -> str:
    Terminal().left_out(cohort)
    return capsys.readouterr().out


def test_nothing_is_said_of_a_plain_cohort_without_a_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert said(Cohort("plain", (), ()), capsys) == ""


def test_an_export_and_what_was_left_out_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(Cohort("Canvas", (), ("eve (a link)", "\x1b[31mred\n[bold]x")), capsys)
    assert text.startswith("Read as an export of Canvas.\n2 left out: eve (a link), ")
    assert "\x1b" not in text
    assert "[bold]x" in text
    assert text.count("\n") == 2


def test_a_long_rest_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(Cohort("plain", (), tuple(f"n{i}" for i in range(40))), capsys)
    assert "40 left out: n0, n1" in text
    assert f"and {40 - MOST_LINES} more" in text


def summary(name: str, engine: Engine, capsys: pytest.CaptureFixture[str]) -> str:
    Terminal().result(engine.grade(take_in(SAMPLES / name)), Path("out/report.html"))
    return capsys.readouterr().out


def test_the_summary_names_each_bug_with_its_line_and_its_cost_once(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    text = summary("kenji-tanaka", engine, capsys)
    assert "✗ grad-double-batch-mean  -28.9  solution.py:26\n      dW2 = (H1.T @ dZ2) / B\n" in text
    assert text.index("grad-double-batch-mean") < text.index("mutates-cache"), "the dearest first"
    assert "8 checks fail only because of these bugs" in text
    assert "backward.dW1" not in text


def test_what_no_bug_explains_is_said_check_by_check(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    text = summary("beatriz-costa", engine, capsys)
    assert "✗ backward.vectorised: " in text
    assert "only because of" not in text


def test_a_file_that_does_not_parse_has_one_bug_and_nothing_else_to_read(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    text = summary("adrian-popescu", engine, capsys)
    assert text.count("✗") == 1
    assert "✗ syntax-error  -80  solution.py:7\n      Z1 = X W1 + b1\n" in text
    assert "3 checks fail only because of these bugs" in text
    assert "  not corrected: " in text


def test_a_corrected_line_is_shown_before_the_bugs(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    text = summary("zoe-martin", engine, capsys)
    corrected = (
        "solution.py:17 corrected\n      - def backward(cache)\n      + def backward(cache):"
    )
    assert text.index(corrected) < text.index("✗ syntax-error  -24  solution.py:17\n")
    assert "not corrected" not in text


def outcome(id: str, *, kept: bool = False, **facts: Any) -> Graded:
    document = {"status": "graded", "score": 80.0, "max_score": 100.0, "band": "hire", "checks": []}
    return Graded(id, document | facts, kept)


def test_without_a_terminal_each_outcome_is_a_plain_line_with_the_pace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = Terminal()
    with terminal.progress(3) as tell:
        tell(outcome("ada", kept=True))
        tell(outcome("b[red]ob", status="undecided", fault="the disk\nis full"))
        tell(outcome("cid"))
    terminal.cut_short()
    first, second, third, last = capsys.readouterr().out.splitlines()
    assert first == "[1/3] ada 80.0 hire, kept"
    assert second.startswith("[2/3] b[red]ob undecided: the disk is full  (")
    assert second.endswith("left)")
    assert third == "[3/3] cid 80.0 hire"
    assert last.startswith("Cut short: 3 of 3 are graded and kept")
