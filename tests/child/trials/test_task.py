"""The function that a helper differentiates notes where, and what comes of it."""

from __future__ import annotations

import numpy as np

from grader.child.trials.task import Task


def test_points_and_answer_are_noted() -> None:
    task = Task(np.array([0.1, 0.2]), np.array([0.3, 0.4]))
    assert task(np.array([0.0, 0.0])) == np.sin(0.3) + np.sin(0.4)
    assert task() == np.sin(0.1 + 0.3) + np.sin(0.2 + 0.4)
    assert [point.tolist() for point in task.points] == [[0.0, 0.0], [0.1, 0.2]]
    assert task.noted("words") == "words" and task.answer is None
    assert task.noted((task.slope, 1.0))[1] == 1.0
    np.testing.assert_array_equal(task.answer, np.cos(task.x + task.phase))
