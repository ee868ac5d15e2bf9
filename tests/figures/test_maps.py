"""Error maps: which entries are wrong, how much, and what they have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grader.cohort import Engine
from grader.figures.maps import NOT_FINITE, WORST, _levels, pattern
from grader.intake import take_in
from grader.records import Array, ErrorMap

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(5)
WANT = RNG.normal(size=(11, 7))
SQUARE = RNG.normal(size=(6, 6))


def maps_of(engine: Engine, folder: str) -> dict[tuple[str, str], ErrorMap]:
    result = engine.grade(take_in(ROOT / folder))
    return {(one.part, one.tensor): one for one in result.pictures.maps}


def test_a_right_answer_has_no_map(engine: Engine) -> None:
    pictures = engine.grade(take_in(ROOT / "reference")).pictures
    assert pictures.maps == ()
    ratios = [y for c in pictures.ratios for _, y in c.points]
    assert ratios == pytest.approx([1.0] * len(ratios), abs=1e-6)
    own, right = pictures.growth
    assert [y for _, y in own.points] == pytest.approx([y for _, y in right.points], rel=1e-9)
    (steps,) = pictures.steps
    assert min(y for _, y in steps.points) < 1e-7
    assert steps.points[0][1] > 1e-6, "a long step curves"


def test_a_mean_taken_twice_is_a_factor_in_four_of_the_five(engine: Engine) -> None:
    maps = maps_of(engine, "submissions/kenji-tanaka")
    assert set(maps) == {("numpy", t) for t in ("W1", "b1", "W2", "b2", "X")}
    assert [t for (_, t), one in maps.items() if not one.wrong] == ["X"]
    case = engine.exam().expected["primes"].case
    said = f"every entry is {1 / case.sizes['B']:.5g} × autograd’s"
    assert maps["numpy", "W1"].pattern == maps["numpy", "b2"].pattern == said
    assert maps["numpy", "W1"].shape == case.W1.shape
    assert len(maps["numpy", "W1"].levels) == case.W1.size


def _with_rows(rows: list[int]) -> Array:
    got = WANT.copy()
    got[rows] += 0.5
    return got


def _signs() -> Array:
    got = WANT.copy()
    got[0, :3] *= -1
    return got


@pytest.mark.parametrize(
    ("got", "want", "said"),
    [
        (np.zeros_like(WANT), WANT, "every entry is 0"),
        (5 * WANT, WANT, "every entry is 5 × autograd’s"),
        (-WANT, WANT, "every entry is -1 × autograd’s"),
        (SQUARE.T, SQUARE, "it is the transpose of autograd’s"),
        (_signs(), WANT, "the sizes are right, the signs of 3 of 77 entries are not"),
        (
            _with_rows([1, 4]),
            WANT,
            "2 of 11 rows are wrong throughout, the others right: a row is one input",
        ),
        (
            np.hstack([WANT[:, :2] + 1, WANT[:, 2:]]),
            WANT,
            "2 of 7 columns are wrong throughout, the others right: a column is one hidden unit",
        ),
        (
            WANT * np.arange(2.0, 13.0)[:, None],
            WANT,
            "each row is autograd’s times a factor of its own",
        ),
        (WANT + RNG.normal(size=WANT.shape), WANT, "every entry is wrong"),
        (np.where(np.eye(11, 7) > 0, np.inf, WANT), WANT, "7 of 77 entries are not finite"),
    ],
)  # fmt: skip
def test_what_wrong_entries_share(got: Array, want: Array, said: str) -> None:
    assert pattern("W1", got, want, ~(np.abs(got - want) <= 1e-12)) == said


def test_some_entries_without_a_pattern_are_counted() -> None:
    got = WANT.copy()
    got[[0, 3, 5], [1, 2, 6]] += 1
    assert pattern("W1", got, WANT, got != WANT) == "3 of 77 entries are wrong"


def test_levels_are_decades_of_the_gradients_size() -> None:
    error = np.array([0.0, 1e-13, 1e-9, 2e-4, 2e-3, 0.02, 0.2, 2.0, 1e9, np.nan, np.inf])
    got = _levels(error, 1e-12).tolist()
    assert got == [0, 0, 1, 1, 2, 3, 4, WORST, WORST, NOT_FINITE, NOT_FINITE]
