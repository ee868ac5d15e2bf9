"""The sentences that come first: gravest first, never more than three, each with its way there."""

from __future__ import annotations

from dataclasses import replace

from grader.records import CheckStatus, Result
from grader.report.defects import defect_views
from grader.report.summary import MAX_SENTENCES, Sentence, summary


def said(result: Result) -> tuple[Sentence, ...]:
    return summary(result, defect_views(result)).sentences


def test_defects_then_what_none_explains(usual: Result) -> None:
    first, second, third = said(usual)
    assert first.text.startswith("The loss is a mean")
    assert (first.tone, first.links) == ("major", (("#L29", "line 29"),))
    assert (second.tone, second.links) == ("minor", (("#L37", "line 37"),))
    assert third.tone == "fail"
    assert third.text.startswith("A hopeless true class gives a finite loss: no. The loss is inf")
    assert third.links == (("#check-forward.underflow", "forward.underflow"),)


def test_many_defects_leave_room_for_the_number_of_the_others(usual: Result) -> None:
    many = [replace(usual.defects[1], message=f"m{n}", line=None, file=None) for n in range(9)]
    sentences = said(replace(usual, defects=tuple(many)))
    assert [s.text for s in sentences[:2]] == ["m0", "m1"]
    assert len(sentences) == MAX_SENTENCES
    assert sentences[0].links == (("#defect-batch-mean-missing", "batch-mean-missing"),)
    assert sentences[1].links[1] == ("#defects", "and 7 more defects")


def test_gates_come_first_and_leave_room(usual: Result) -> None:
    gated = replace(usual, grade=replace(usual.grade, gates=("g1", "g2", "g3")))
    assert [s.tone for s in said(gated)] == ["gate", "gate", "fail"]


def test_several_unexplained_failures_are_one_sentence(usual: Result) -> None:
    checks = tuple(replace(c, explained_by=()) for c in usual.grade.checks)
    bare = replace(usual, defects=(), grade=replace(usual.grade, checks=checks))
    (only,) = said(bare)
    assert only.text == "5 checks fail that no defect here explains:"
    assert (len(only.links), only.more) == (3, 2)


def test_all_right_says_so_and_nothing_failed_is_claimed_otherwise(usual: Result) -> None:
    passing = tuple(replace(c, status=CheckStatus.PASS) for c in usual.grade.checks)
    right = replace(usual, defects=(), grade=replace(usual.grade, checks=passing))
    (only,) = said(right)
    assert only == Sentence(f"All {len(passing)} automatic checks pass.", "pass")
    explained = tuple(c for c in usual.grade.checks if c.id != "forward.underflow")
    rest = replace(usual, grade=replace(usual.grade, checks=explained))
    assert "pass" not in [s.tone for s in said(rest)]
