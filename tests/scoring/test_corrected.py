"""What a corrected slip costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.defects.make import make
from grader.records import Charge, Grade, GradeStatus
from grader.scoring import correction_charges

NOTHING = Grade(GradeStatus.GRADED, 0.0, 80.0, 20.0, None, (), (), ())
SYNTAX, OLD = make("syntax-error", "…"), make("python2-source", "…")


def test_a_share_of_what_is_won() -> None:
    assert correction_charges([SYNTAX], NOTHING, replace(NOTHING, score=80.0)) == (
        Charge("syntax-error", pytest.approx(24.0)),  # type: ignore[arg-type]
    )
    some, more = replace(NOTHING, score=72.0), replace(NOTHING, score=80.0)
    [charge] = correction_charges([OLD], some, more)
    assert charge.points == pytest.approx(0.8), "the rest was there without it"


def test_the_second_slip_has_a_share_of_what_is_left() -> None:
    first, second = correction_charges([SYNTAX, OLD], NOTHING, replace(NOTHING, score=80.0))
    assert (first.points, second.points) == (pytest.approx(24.0), pytest.approx(5.6))


def test_a_correction_that_wins_nothing_costs_nothing() -> None:
    less = replace(NOTHING, score=10.0), replace(NOTHING, score=8.0)
    assert [c.points for c in correction_charges([SYNTAX], *less)] == [0.0]
