"""A declaration, and the conclusions that a check can come to."""

from __future__ import annotations

import pytest

from grader.checks.check import check, judge, left_open, listed, waits
from grader.checks.view import View
from grader.records import CheckStatus, Evidence, Finding, Mismatch

GOOD = Evidence("dX", "1", "1", verdict=CheckStatus.PASS)
BAD = Evidence("dW1", "2", "3", "primes")
GONE = Evidence("db1", "2", "raised KeyError", "square", mismatch=Mismatch.RAISED)


@check("part.name", "A title", hint="A hint.", serves="Part 1.", tensor="dW1", of_loss=True)
def declared(view: View):
    """What is asserted."""
    return waits("First things first.", "part.other")


def test_a_declaration_has_all_facts() -> None:
    assert (declared.part, declared.asserts, declared.tensor) == (
        "part",
        "What is asserted.",
        "dW1",
    )
    assert declared.of_loss and not declared.beyond_numbers


def test_a_conclusion_becomes_a_finding_under_the_id() -> None:
    made = declared.finding(declared.run(None))  # type: ignore[arg-type]
    assert made == Finding(
        "part.name", CheckStatus.SKIPPED, "First things first.", (), ("part.other",)
    )


def test_judge_fails_in_the_words_of_the_first_bad_line() -> None:
    made = judge([GOOD, BAD, GONE], "Fine.")
    assert made.message == "dW1: got 3; expected 2, on case primes."
    assert made.evidence == (BAD, GONE, GOOD)
    assert judge([GONE], "Fine.").message == "db1: raised KeyError, on case square."
    assert judge([GOOD, BAD], "Fine.", "Off by 2.").message == "Off by 2."


def test_judge_passes_where_no_line_is_bad_and_needs_one() -> None:
    assert judge([GOOD], "Fine.", "Bad.").message == "Fine."
    with pytest.raises(ValueError, match="without evidence"):
        judge([], "Fine.")


def test_a_line_that_speaks_for_the_candidate_has_no_mismatch() -> None:
    assert (GOOD.mismatch, BAD.mismatch) == (Mismatch.NONE, Mismatch.VALUE)
    assert Finding("a.b", CheckStatus.FAIL, "", (GOOD, BAD)).bad == (BAD,)


def test_what_is_left_open_is_a_persons() -> None:
    assert left_open("Open.", GOOD).status is CheckStatus.MANUAL


def test_long_lists_are_cut() -> None:
    assert listed(["a", "b", "a"]) == "a, b"
    assert listed(list("abcdef")) == "a, b, c, d and 2 more"
