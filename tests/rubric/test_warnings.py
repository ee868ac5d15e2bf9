"""`rubric check` warns where no points can be lost."""

from __future__ import annotations

import pytest

from grader.rubric import parse_rubric, warnings

PLAIN = """\
rubric: 1
id: r
title: R
parts:
  - id: p
    title: P
    items:
      - {id: a, title: A, points: 2, checks: [forward.loss, forward.mean]}
"""


def said(text: str) -> list[str]:
    return list(warnings(parse_rubric(text.encode(), "r.yaml", ["forward.loss", "forward.mean"])))


def test_a_plain_rubric_has_nothing_to_warn_of() -> None:
    assert said(PLAIN) == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("deductions: {major: 3}\n", "`deductions` count only with"),
        ("charge: once_per_bug\ndeductions: {major: 0}\n", "A proven major mistake costs nothing"),
        (
            "charge: once_per_bug\ndeductions: {major: 1, codes: {loss-sign: 0}}\n",
            "loss-sign costs nothing",
        ),
        ("charge: by_centrality\nfactors: {core_idea: 0.5}\n", "`factors.one_tensor` is 1"),
    ],
)
def test_what_costs_nothing_is_said(more: str, words: str) -> None:
    assert any(words in warning for warning in said(PLAIN + more))


def test_tiers_that_are_full_before_the_last_check_are_said() -> None:
    tiers = "credit: tiers, tiers: [{passed: 1, points: 2}]"
    text = PLAIN.replace("points: 2, checks", f"points: 2, {tiers}, checks")
    assert said(text) == ["Item `a` earns all its points when one check fails."]


def test_an_item_worth_nothing_is_said() -> None:
    assert said(PLAIN.replace("points: 2", "points: 0")) == [
        "Item `a` is worth 0 points, so its checks cost nothing."
    ]
