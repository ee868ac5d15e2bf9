"""How a call can end badly is a kind of its own."""

from __future__ import annotations

from grader.defects.intake import INTAKE
from grader.records import Ended

NO_ANSWER_OF_THEIRS = {Ended.OK, Ended.NOT_RUN, Ended.HARNESS}


def test_each_bad_ending_has_a_kind() -> None:
    assert {k.ending for k in INTAKE if k.ending} == set(Ended) - NO_ANSWER_OF_THEIRS


def test_what_breaks_the_rules_is_seen_by_a_person() -> None:
    broken = {kind.code for kind in INTAKE if kind.breaks_rules}
    assert broken == {"sandbox-violation", "framework-in-numpy-part", "harness-access"}
