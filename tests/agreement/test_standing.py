"""The field's bar is judged by its three numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.agreement.comparison import Comparison
from grader.agreement.measures import Agreement, Estimate
from grader.agreement.standing import criteria


@pytest.mark.parametrize(
    ("kappa", "human", "difference", "met"),
    [
        (0.70, 0.80, 0.15, [True, True, True]),
        (0.69, 0.80, -0.16, [False, False, False]),
        (0.90, 0.60, -0.15, [True, True, True]),
        (float("nan"), 0.80, float("nan"), [None, None, None]),
    ],
)
def test_the_bar(
    comparison: Comparison, kappa: float, human: float, difference: float, met: list[bool | None]
) -> None:
    grader = Agreement("grader", "panel", 9, 9, Estimate(kappa), difference=Estimate(difference))
    pairs = (Agreement("1", "2", 9, 9, Estimate(human)),)
    judged = criteria(replace(comparison, grader=grader, pairs=pairs))
    assert [one.met for one in judged] == met


def test_one_marker_has_no_agreement_with_others(comparison: Comparison) -> None:
    grader = Agreement("grader", "panel", 9, 9, Estimate(0.9), difference=Estimate(0.0))
    judged = criteria(replace(comparison, grader=grader, pairs=()))
    assert [one.met for one in judged] == [True, None, True]
