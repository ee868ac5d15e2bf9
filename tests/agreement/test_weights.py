"""A rubric's numbers are read with their places; a changed one leaves all else as it was."""

from __future__ import annotations

import difflib

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.agreement.weights import RubricWeights, rewritten, rubric_numbers, rubric_weights
from grader.rubric import Rubric

CENTRAL = """# how it is charged
charge: by_centrality
factors:                 # what is left after one mistake
  core_idea: 0.50        # “no gate”, ünïcode before the number
  one-tensor: .7
  codes: {loss-sign: 0.72, grad-sign: 6.0e-1}
other: {at_least: 3, points: 8}
bands: [{at_least: 90, name: strong hire}, {at_least: 60.5, name: "90"}, {at_least: 0, name: 0}]
"""
KEYS = {
    ("factors", "core_idea"): 0.5,
    ("factors", "one-tensor"): 0.7,
    ("factors", "codes", "loss-sign"): 0.72,
    ("factors", "codes", "grad-sign"): 0.6,
}


def test_the_numbers_and_their_places() -> None:
    numbers = rubric_numbers(CENTRAL)
    assert {n.key: n.value for n in numbers if n.key[0] == "factors"} == KEYS
    assert [n.value for n in numbers if n.key[0] == "bands"] == [90, 60.5, 0]
    assert all(float(CENTRAL[n.start : n.end]) == n.value for n in numbers)


def test_the_weights() -> None:
    assert rubric_weights(CENTRAL) == RubricWeights((60.5, 90.0), KEYS)
    assert rubric_weights("rubric: 1\n") == RubricWeights((), {})


def test_only_the_changed_numbers_change() -> None:
    weights = RubricWeights((61.0, 90.0), {**KEYS, ("factors", "codes", "loss-sign"): 0.8})
    before, after = CENTRAL.splitlines(), rewritten(CENTRAL, weights).splitlines()
    changed = [line for line in difflib.ndiff(before, after) if line[0] in "-+"]
    assert changed == [
        "-   codes: {loss-sign: 0.72, grad-sign: 6.0e-1}",
        "+   codes: {loss-sign: 0.8, grad-sign: 6.0e-1}",
        '- bands: [{at_least: 90, name: strong hire}, {at_least: 60.5, name: "90"}, {at_least: 0, name: 0}]',
        '+ bands: [{at_least: 90, name: strong hire}, {at_least: 61, name: "90"}, {at_least: 0, name: 0}]',
    ]


@settings(max_examples=8)  # the whole rubric is parsed four times in each
@given(st.lists(st.integers(1, 100), min_size=4, max_size=4, unique=True))
def test_what_is_written_is_read_again(plain: Rubric, thresholds: list[int]) -> None:
    text = plain.text.decode()
    assert rewritten(text, rubric_weights(text)) == text
    weights = RubricWeights(tuple(map(float, sorted(thresholds))), {})
    assert rubric_weights(rewritten(text, weights)) == weights
