"""What is reported of a check by finite differences; its styles stand in `checks`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.child.trials.conftest import Examine

CHECK = """
def gradient_check(X, y, W1, b1, W2, b2):
    values = dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2)
    grads = backward(forward(X, y, W1, b1, W2, b2)[1])
    for name, array in values.items():
        for index in list(np.ndindex(array.shape))[:4]:
            before, ends = array[index], []
            for step in (1e-5, -1e-5):
                array[index] = before + step
                ends.append(forward(X, y, W1, b1, W2, b2)[0])
            array[index] = before
            if abs((ends[0] - ends[1]) / 2e-5 - grads[name][index]) > 1e-6:
                return False
    return True
"""
HELPER = """
def numerical_gradient(f, x, h=1e-5):
    slope = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        before = x[index]
        x[index] = before + h
        high = f(x)
        x[index] = before - h
        slope[index] = (high - f(x)) / (2 * h)
        x[index] = before
    return slope
"""


def test_a_check_is_found_and_its_steps_are_noted(examine: Examine) -> None:
    report = examine("step_trials", CHECK)
    assert (report["kind"], report["name"], report["case"]) == ("check", "gradient_check", "small")
    assert (report["accepts"], report["equal"], report["stopped"]) == (True, True, "")
    assert report["points_W1"].shape == (8, 5, 6)
    outcomes = {(t["kind"], t["outcome"]) for t in report["trials"]}
    assert ("entry", "refused") in outcomes


REMEMBERS = """
met = set()
def gradient_check(X, y, W1, b1, W2, b2):
    grads = backward(forward(X, y, W1, b1, W2, b2)[1])
    for array in (X, W1, b1, W2, b2):
        for index in list(np.ndindex(array.shape))[:4]:
            before = array[index]
            for step in (1e-5, -1e-5):
                array[index] = before + step
                forward(X, y, W1, b1, W2, b2)
            array[index] = before
    first = X.tobytes() not in met
    met.add(X.tobytes())
    return 1e-9 if first else 1.0
"""


def test_a_check_that_remembers_its_inputs_refuses_right_gradients(examine: Examine) -> None:
    report = examine("step_trials", REMEMBERS)
    assert (report["kind"], report["accepts"], report["trials"]) == ("check", False, [])


def test_a_helper_is_asked_for_the_slopes_of_a_sine(examine: Examine) -> None:
    report = examine("step_trials", HELPER)
    assert (report["kind"], report["trials"]) == ("helper", [])
    slope = np.cos(0.5)  # x + phase is 0.5 everywhere
    assert report["numeric_b1"] == pytest.approx(np.full(6, slope), rel=1e-6)


def test_without_a_check_nothing_is_reported(examine: Examine) -> None:
    report = examine("step_trials", "")
    assert (report["kind"], report["trials"]) == ("", [])
