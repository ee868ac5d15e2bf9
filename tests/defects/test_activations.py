"""The activations' derivatives are derivatives, and other spellings are the same functions."""

from __future__ import annotations

import numpy as np
import pytest

from grader.defects.activations import ACTIVATIONS, NAIVE

Z = np.random.default_rng(5).normal(scale=1.5, size=40)
STEP = 1e-6
KINKS = np.array([-1.0, 0.0, 1.0, 6.0])


@pytest.mark.parametrize(
    ("name", "function", "slope"), ACTIVATIONS, ids=lambda a: a if isinstance(a, str) else "f"
)
def test_the_slope_is_the_derivative(name, function, slope) -> None:
    assert np.abs(Z[:, None] - KINKS).min() > 10 * STEP
    central = (function(Z + STEP) - function(Z - STEP)) / (2 * STEP)
    np.testing.assert_allclose(slope(Z) * np.ones_like(Z), central, rtol=1e-6, atol=1e-8)


def test_no_two_activations_are_the_same() -> None:
    values = [function(Z) for _, function, _ in ACTIVATIONS]
    for index, one in enumerate(values):
        close = [np.allclose(one, other, rtol=1e-7) for other in values]
        alike = [ACTIVATIONS[i][0] for i, same in enumerate(close) if same and i != index]
        assert not alike or "capped at 6" in ACTIVATIONS[index][0], (ACTIVATIONS[index][0], alike)


@pytest.mark.parametrize(
    ("name", "function"), NAIVE, ids=lambda a: a if isinstance(a, str) else "f"
)
def test_another_spelling_differs_on_huge_input_only(name, function) -> None:
    steady = next(f for n, f, _ in ACTIVATIONS if n == name)
    np.testing.assert_allclose(function(Z), steady(Z), rtol=1e-12)
    with np.errstate(all="ignore"):
        assert not np.isfinite(function(np.array([3000.0]))).all()
        assert np.isfinite(steady(np.array([3000.0]))).all()
