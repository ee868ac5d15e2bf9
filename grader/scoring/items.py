"""The points of one item of a rubric, in exact fractions.

Fractions, because a full pass has to give exactly the maximum: thirds of a
point added up as floats do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from grader.records import CheckStatus
from grader.rubric import Item

NOTHING = Fraction(0)
UNDECIDED = (CheckStatus.ERROR, CheckStatus.MANUAL)
"""Statuses without a verdict. What an error would decide leaves the maximum, and the grade
undecided; what a check leaves to a person stays in it, not earned until they have said so."""


def exact(number: float) -> Fraction:
    """Return the decimal number an author wrote: 0.1 is a tenth, not the float nearest to it."""
    return Fraction(repr(float(number)))


@dataclass(frozen=True, slots=True)
class Share:
    """What one check got and could have got."""

    points: Fraction
    max_points: Fraction


@dataclass(frozen=True, slots=True)
class ItemScore:
    """An item's decided points; `shares` by check id sum to them.

    `given_back` is the part of them that no check earned: see `deductions`. `open` are
    the points of a manual item, which a human marks.
    """

    item: Item
    points: Fraction
    max_points: Fraction
    shares: Mapping[str, Share]
    given_back: Fraction = NOTHING
    open: Fraction = NOTHING


def score_item(item: Item, statuses: Mapping[str, CheckStatus]) -> ItemScore:
    """Return the points of `item`, given a status for each of its checks.

    Checks without a verdict earn nothing, and `all` and `tiers` are judged as though they
    had passed. An error takes its equal share of the points out of the item, so that a fault
    of the harness costs the candidate nothing; what is left to a person stays in the maximum,
    so that all are out of the same number.
    """
    count = len(item.checks)
    if item.manual or not count:
        whole = exact(item.points) if item.manual else NOTHING
        return ItemScore(item, NOTHING, NOTHING, {}, open=whole)
    decided = [check for check in item.checks if statuses[check] not in UNDECIDED]
    passing = frozenset(check for check in decided if statuses[check] is CheckStatus.PASS)
    max_points = exact(item.points) * Fraction(len(decided), count)
    points = _earned(item, passed=len(passing), undecided=count - len(decided))
    shares = {check: Share(NOTHING, NOTHING) for check in item.checks}
    shares |= _shares(decided, passing, points, max_points)
    each = exact(item.points) / count
    left = [check for check in item.checks if statuses[check] is CheckStatus.MANUAL]
    shares |= {check: Share(NOTHING, each) for check in left}
    return ItemScore(item, points, max_points + each * len(left), shares)


def _earned(item: Item, *, passed: int, undecided: int) -> Fraction:
    """Return what `passed` checks earn; never more than the decided share of the item."""
    if not passed:
        return NOTHING
    count, whole = len(item.checks), exact(item.points)
    decided_share = Fraction(count - undecided, count)
    match item.credit:
        case "share":
            return whole * Fraction(passed, count)
        case "all":
            return whole * decided_share if passed + undecided == count else NOTHING
        case "tiers":
            reached = [exact(t.points) for t in item.tiers if t.passed <= passed + undecided]
            return max(reached, default=NOTHING) * decided_share


def _shares(
    decided: list[str], passing: frozenset[str], points: Fraction, max_points: Fraction
) -> dict[str, Share]:
    """Return each decided check's part of the item: what was earned goes to the passing ones.

    The maximum is the same for all, unless a generous tier gives the passing
    checks more than that; then the failing ones share what is left.
    """
    if not decided:
        return {}
    equal = max_points / len(decided)
    each = points / len(passing) if passing else NOTHING
    failing = len(decided) - len(passing)
    top = max(each, equal)
    rest = (max_points - top * len(passing)) / failing if failing else NOTHING
    return {
        check: Share(each, top) if check in passing else Share(NOTHING, rest) for check in decided
    }
