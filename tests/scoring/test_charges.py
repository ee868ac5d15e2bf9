from fractions import Fraction
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.scoring.charges import allocate


def charged(losses, limits):
    """Per defect, and in all."""
    flow = allocate(
        {frozenset(codes): Fraction(lost) for codes, lost in losses.items()},
        {code: Fraction(limit) for code, limit in limits.items()},
    )
    each = {code: sum(f for (_, c), f in flow.items() if c == code) for code in limits}
    return each, sum(flow.values())


@pytest.mark.parametrize(
    ("losses", "limits", "each"),
    [
        ({"a": 10}, {"a": 6}, {"a": 6}),
        ({"a": 2}, {"a": 6}, {"a": 2}),
        ({"ab": 10}, {"a": 6, "b": 3}, {"a": 6, "b": 3}),
        ({"a": 10, "b": 1}, {"a": 6, "b": 3}, {"a": 6, "b": 1}),
        # a is charged once, by itself; what it shares with b is b's, up to b's limit
        ({"a": 10, "ab": 10}, {"a": 6, "b": 3}, {"a": 6, "b": 3}),
        # the shared loss moves to a, so that b can carry what is b's alone
        ({"ab": 5, "bc": 5}, {"a": 5, "b": 5, "c": 0}, {"a": 5, "b": 5, "c": 0}),
        ({"ab": 5, "b": 5}, {"a": 5, "b": 5}, {"a": 5, "b": 5}),
        ({}, {"a": 6}, {"a": 0}),
    ],
)
def test_each_is_charged_once(losses, limits, each):
    assert charged(losses, limits)[0] == each


@pytest.mark.parametrize(
    ("losses", "limits", "kept"),
    [
        # 6 of 30 points are charged: a fifth of each loss
        ({"a": 10, "ab": 20}, {"a": 3, "b": 3}, {"a": 2, "ab": 4}),
        # a has no room for its half, so b's set, which has, keeps more
        ({"a": 10, "ab": 10}, {"a": 1, "b": 9}, {"a": 1, "ab": 9}),
        # what does not meet is not levelled
        ({"a": 10, "b": 10}, {"a": 1, "b": 9}, {"a": 1, "b": 9}),
        ({"a": 10, "ab": 10}, {"a": 0, "b": 0}, {"a": 0, "ab": 0}),
    ],
)
def test_the_charge_is_spread_as_evenly_as_the_limits_allow(losses, limits, kept):
    flow = allocate(
        {frozenset(codes): Fraction(lost) for codes, lost in losses.items()},
        {code: Fraction(limit) for code, limit in limits.items()},
    )
    each = {c: sum(f for (s, _), f in flow.items() if s == frozenset(c)) for c in losses}
    assert each == kept


CODES = "abcd"
SETS = ["".join(s) for s in chain.from_iterable(combinations(CODES, size) for size in range(1, 5))]


@given(
    st.dictionaries(st.sampled_from(SETS), st.integers(0, 12)),
    st.fixed_dictionaries({code: st.integers(0, 12) for code in CODES}),
)
def test_it_is_the_largest_charge_that_keeps_both_limits(losses, limits):
    flow = allocate(
        {frozenset(s): Fraction(lost) for s, lost in losses.items()},
        {code: Fraction(limit) for code, limit in limits.items()},
    )
    assert all(points >= 0 and code in codes for (codes, code), points in flow.items())
    for codes, lost in losses.items():
        assert sum(f for (s, _), f in flow.items() if s == frozenset(codes)) <= lost
    for code, limit in limits.items():
        assert sum(f for (_, c), f in flow.items() if c == code) <= limit
    # Ford and Fulkerson: the largest flow is the smallest cut, here over sets of defects.
    cuts = [
        sum(limits[code] for code in cut)
        + sum(lost for codes, lost in losses.items() if not set(codes) <= set(cut))
        for cut in ["", *SETS]
    ]
    assert sum(flow.values()) == min(cuts)
