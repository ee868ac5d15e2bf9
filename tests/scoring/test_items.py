"""An item's checks earn its points by its rule; errors and what a human marks stay out."""

from math import fsum

import pytest

from grader.records import GradeStatus
from grader.rubric import Tier
from tests.scoring.graded import ERROR, FAIL, MANUAL, PASS, SKIPPED, graded, item, points, rubric


def test_share_gives_each_check_its_share():
    result = graded(rubric(item("i", 6, "a b c")), a=PASS, b=FAIL, c=SKIPPED)
    assert (result.score, result.max_score, result.status) == (2, 6, GradeStatus.GRADED)
    assert points(result) == {"a": (2, 2), "b": (0, 2), "c": (0, 2)}


@pytest.mark.parametrize(("b", "score"), [(PASS, 6), (FAIL, 0), (SKIPPED, 0)])
def test_all_or_nothing(b, score):
    result = graded(rubric(item("i", 6, "a b", credit="all")), a=PASS, b=b)
    assert result.score == score
    assert points(result)["a"] == (score / 2, 3)


TIERED = item(
    "i", 6, "a b c", credit="tiers", tiers=(Tier(passed=1, points=4), Tier(passed=3, points=6))
)


@pytest.mark.parametrize(
    ("statuses", "score"),
    [((FAIL, FAIL, FAIL), 0), ((PASS, FAIL, FAIL), 4), ((PASS, PASS, FAIL), 4), ((PASS,) * 3, 6)],
)
def test_tiers_give_the_highest_reached(statuses, score):
    result = graded(rubric(TIERED), **dict(zip("abc", statuses, strict=True)))
    assert result.score == score
    assert fsum(p for p, _ in points(result).values()) == score
    assert fsum(top for _, top in points(result).values()) == 6
    assert all(p <= top for p, top in points(result).values())


def test_a_full_pass_is_exactly_the_maximum():
    thirds = [item(f"i{n}", 0.1, f"a{n} b{n} c{n}") for n in range(30)]
    checks = {check: PASS for each in thirds for check in each.checks}
    result = graded(rubric(*thirds), **checks)
    assert result.score == result.max_score == 3.0
    assert result.fraction == 1.0


def test_points_add_up_as_the_author_wrote_them():
    result = graded(rubric(item("i", 0.1, "a"), item("j", 0.2, "b")), a=PASS, b=PASS)
    assert result.max_score == 0.3, "0.1 + 0.2, but not as floats"


@pytest.mark.parametrize("credit", ["share", "all", "tiers"])
def test_an_error_costs_nothing_of_the_rest(credit):
    tiers = (Tier(passed=2, points=1), Tier(passed=3, points=6)) if credit == "tiers" else ()
    result = graded(
        rubric(item("i", 6, "a b c", credit=credit, tiers=tiers)), a=PASS, b=ERROR, c=PASS
    )
    assert (result.score, result.max_score) == (4, 4)


def test_an_item_of_errors_only_is_worth_nothing_yet():
    result = graded(rubric(item("i", 6, "a b", credit="all")), a=ERROR, b=ERROR)
    assert (result.score, result.max_score, result.fraction) == (0, 0, 0)


def test_a_manual_item_is_open_and_does_not_count():
    by_hand = item("m", 5, manual=True, guidance=("says why",))
    result = graded(rubric(item("i", 3, "a"), by_hand), a=PASS)
    assert (result.score, result.max_score, result.open_points) == (3, 3, 5)
    (check,) = (check for check in result.checks if check.id == "m")
    assert (check.status, check.points, check.max_points, check.part) == (MANUAL, 0, 5, "part-m")
    part = result.parts[1]
    assert (part.points, part.max_points, part.open_points) == (0, 0, 5)
    (line,) = part.items
    assert (line.open, line.points, line.max_points, line.guidance) == (True, 0, 5, ("says why",))
    assert result.status is GradeStatus.GRADED


@pytest.mark.parametrize("credit", ["share", "all"])
def test_the_maximum_never_shrinks(credit):
    two = rubric(item("i", 3, "a"), item("j", 2, "b c", credit=credit))
    of = {
        status: graded(two, a=PASS, b=status, c=PASS).max_score
        for status in (PASS, FAIL, SKIPPED, MANUAL)
    }
    assert set(of.values()) == {5}


def test_what_a_check_leaves_to_a_human_is_in_the_maximum_and_not_earned():
    result = graded(rubric(item("i", 3, "a"), item("j", 2, "b")), a=PASS, b=MANUAL)
    assert (result.score, result.max_score, result.open_points) == (3, 5, 0)
    assert result.unjudged == 2
    assert result.status is GradeStatus.GRADED
    part = result.parts[1]
    assert (part.points, part.max_points, part.open_points) == (0, 2, 0)
    (line,) = part.items
    assert (line.open, line.points, line.max_points) == (False, 0, 2)
    assert points(result) == {"a": (3, 3), "b": (0, 2)}


def test_an_item_may_be_left_to_a_human_in_part():
    result = graded(rubric(item("i", 3, "a b c")), a=PASS, b=MANUAL, c=FAIL)
    assert (result.score, result.max_score, result.unjudged) == (1, 3, 1)
    (line,) = result.parts[0].items
    assert (line.open, line.points, line.max_points) == (False, 1, 3)
    assert points(result) == {"a": (1, 1), "b": (0, 1), "c": (0, 1)}


def test_a_bonus_that_is_left_to_a_human_opens_nothing():
    result = graded(rubric(item("i", 3, "a"), item("x", 2, "b", bonus=True)), a=PASS, b=MANUAL)
    assert (result.score, result.max_score, result.open_points) == (3, 3, 0)


def test_a_fault_of_the_harness_is_not_left_to_a_human():
    result = graded(rubric(item("i", 3, "a"), item("j", 2, "b")), a=PASS, b=ERROR)
    assert (result.max_score, result.open_points) == (3, 0)
    assert not result.parts[1].items[0].open
