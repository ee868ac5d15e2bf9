"""Which arrays are points near the inputs, and which are not."""

from __future__ import annotations

import numpy as np

from grader.child.trials.points import Points, slopes
from tests.child.trials.test_inputs import RNG, six


def test_training_is_no_step_where_only_steps_count() -> None:
    given = {n: a for n, a in six().items() if n != "y"}
    for strict, seen in ((False, {"W1"}), (True, set())):
        points = Points(given, strict=strict)
        points.look(7, given["W1"])
        points.look(7, given["W1"] - 0.01 * RNG.normal(size=(5, 6)))
        assert set(points.by_tensor) == seen
    left = given["W1"].copy()
    for at in range(4):
        left.flat[at] += 1e-5
        points.look(7, left)
    assert len(points.by_tensor["W1"]) == 4, "steps that were not taken back"


def test_slopes_are_those_of_the_loss() -> None:
    x, labels = np.array([0.3, -0.7]), np.array([1, 0])
    slope, nothing = slopes(lambda a, _: float((a**3).sum()), [x, labels], 1e-5)
    np.testing.assert_allclose(slope, 3 * x**2, rtol=1e-8)
    assert nothing.size == 0
