"""Thresholds are the exact best; factors come back from marks that were made with them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.agreement.fitting import FitCase, best_thresholds, fit, left_out, predict
from grader.agreement.weights import Key, RubricWeights

IDEA: Key = ("factors", "core_idea")
SIGN: Key = ("factors", "codes", "loss-sign")
PRESENT = RubricWeights((40.0, 75.0), {IDEA: 0.4, SIGN: 0.9, ("factors", "unused"): 0.3})
TRUE = RubricWeights((30.0, 60.0), {**PRESENT.factors, IDEA: 0.5, SIGN: 0.8})


def made(count: int, seed: int = 0) -> list[FitCase]:
    """Cases whose marks and bands are those of `TRUE`."""
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(count):
        keys = {key: 1.0 for key in (IDEA, SIGN) if rng.random() < 0.6}
        case = FitCase(float(rng.uniform(20, 100)), keys, None, None)
        told = predict(case, TRUE)
        cases.append(FitCase(case.base, keys, told.percent, told.band))
    return cases


def test_predict() -> None:
    got = predict(FitCase(100.0, {IDEA: 1, SIGN: 1}, None, None), PRESENT)
    assert (got.percent, got.band) == (pytest.approx(36.0), 0)
    assert predict(FitCase(75.0, {}, None, None), PRESENT).band == 2
    on_threshold = RubricWeights((24.0,), {SIGN: 0.7})  # 24 / 0.7 * 0.7 is a little less than 24
    assert predict(FitCase(24.0 / 0.7, {SIGN: 1}, None, None), on_threshold).band == 1


@given(
    st.lists(st.tuples(st.sampled_from([0, 20, 40, 60, 80, 100]), st.integers(0, 2)),
             min_size=1, max_size=8),
)  # fmt: skip
def test_thresholds_are_as_good_as_any(pairs: list[tuple[int, int]]) -> None:
    percents, bands = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))

    def cost(thresholds: tuple[float, ...]) -> float:
        given = sum((percents >= t).astype(float) for t in thresholds)
        return float(((given - bands) ** 2).sum())

    found = best_thresholds(percents, bands, (40.0, 75.0))
    assert 0 < found[0] < found[1] <= 100
    grid = (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99, 100)  # all that tell these scores apart
    assert cost(found) == min(cost(pair) for pair in combinations(map(float, grid), 2))


def test_of_equally_good_thresholds_the_nearest_to_the_present() -> None:
    percents, bands = np.array([10.0, 50.0, 95.0]), np.array([0.0, 1.0, 2.0])
    assert best_thresholds(percents, bands, (40.0, 75.0)) == (40.0, 75.0)
    assert best_thresholds(percents, bands, (5.0, 75.0)) == (11.0, 75.0)
    assert best_thresholds(percents, bands, (40.0, 97.0)) == (40.0, 95.0)


def test_factors_come_back() -> None:
    fitted = fit(made(60), PRESENT)
    assert fitted.factors[IDEA] == pytest.approx(0.5, abs=0.02)
    assert fitted.factors[SIGN] == pytest.approx(0.8, abs=0.02)
    assert fitted.factors[("factors", "unused")] == 0.3, "no mark speaks of it"
    assert fitted.thresholds == pytest.approx(TRUE.thresholds, abs=4)


def test_few_marks_hardly_move_a_factor() -> None:
    case = FitCase(50.0, {IDEA: 1}, 45.0, None)
    assert 0.4 < fit([case], PRESENT).factors[IDEA] < 0.65


def test_bands_alone_fit_thresholds_alone() -> None:
    cases = [FitCase(case.base, {}, None, case.band) for case in made(20)]
    fitted = fit(cases, PRESENT)
    assert fitted.factors == PRESENT.factors
    assert fitted.thresholds != PRESENT.thresholds


def test_nothing_to_fit_stays() -> None:
    assert fit([FitCase(50.0, {}, 50.0, None)], PRESENT) == PRESENT


def test_what_is_left_out_is_not_fitted_to() -> None:
    """One mark that contradicts all others: its own prediction must not follow it."""
    cases = [FitCase(100.0, {IDEA: 1}, 50.0, 1) for _ in range(12)]
    cases[4] = FitCase(100.0, {IDEA: 1}, 100.0, 2)
    now, after = left_out(cases, PRESENT)
    assert [p.percent for p in now] == pytest.approx([40.0] * 12)
    assert after[4].percent == pytest.approx(50.0, abs=1.0)
    assert after[3].percent > after[4].percent + 2.0


def test_left_out_predictions_get_better() -> None:
    cases = made(40, seed=1)
    now, after = left_out(cases, PRESENT)
    wrong = [sum(p.band != c.band for p, c in zip(ps, cases, strict=True)) for ps in (now, after)]
    assert wrong[1] < wrong[0] / 2
