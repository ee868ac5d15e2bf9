"""The terminal says of a cohort how it was read and what was left out, in safe words."""

from __future__ import annotations

import pytest

from grader.intake import Cohort
from grader.terminal import MOST_LINES, Terminal


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
