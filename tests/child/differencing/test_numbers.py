"""The numbers on which differences are taken, from the calls or from what a script keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.child.binding.canonical import ARGUMENTS
from grader.child.differencing.numbers import Noticed, kept_by
from grader.child.differencing.watching import Points

RNG = np.random.default_rng(4)


def six(batch: int = 4) -> dict[str, Any]:
    return {
        "X": RNG.normal(size=(batch, 5)),
        "y": RNG.integers(0, 3, batch),
        "W1": RNG.normal(size=(5, 6)),
        "b1": RNG.normal(size=6),
        "W2": RNG.normal(size=(6, 3)),
        "b2": RNG.normal(size=3),
    }


def stepped(given: dict[str, Any], name: str, by: float) -> dict[str, Any]:
    moved = given[name].copy()
    moved.flat[0] += by
    return given | {name: moved}


def test_the_numbers_with_the_most_steps_are_it() -> None:
    noticed, calls = Noticed(), []
    forward = noticed.listening(lambda *arguments, **named: calls.append(1))
    trained = six(8)
    forward(*trained.values())
    for _ in range(12):
        trained = trained | {n: trained[n] + 1e-3 for n in ("W1", "b1", "W2", "b2")}
        forward(*trained.values())
    mine = six()
    for by in (0.0, 1e-5, -1e-5, 1e-5):
        forward(mine["X"], **{n: a for n, a in stepped(mine, "b1", by).items() if n != "X"})
    for _ in range(12):
        forward(*six().values())
    found = noticed.base
    assert found is not None and noticed.steps == 3
    for name, array in zip(ARGUMENTS, found, strict=True):
        np.testing.assert_array_equal(array, mine[name])
    assert len(calls) == 1 + 12 + 4 + 12, "it is called all the same"


def test_steps_that_are_not_taken_back_start_where_the_first_was_taken() -> None:
    noticed, given = Noticed(), six()
    noticed.note(list(given.values()))
    moved = {name: array.copy() for name, array in given.items()}
    for name in ("W1", "b1", "X"):
        for at in range(moved[name].size):
            for by in (1e-6, -2e-6):
                moved[name].flat[at] += by
                noticed.note([array.copy() for array in moved.values()])
    assert noticed.steps == 2 * (30 + 6 + 20)
    assert noticed.base is not None
    for name, array in zip(ARGUMENTS, noticed.base, strict=True):
        np.testing.assert_array_equal(array, given[name])


def test_a_forward_of_other_arguments_is_not_noticed() -> None:
    noticed = Noticed()
    noticed.listening(lambda *_: None)(np.zeros(3), {"W1": np.zeros(3)})
    assert noticed.base is None


def test_what_a_script_keeps_under_the_names_of_the_inputs() -> None:
    given = six()
    weights = {n: given[n] for n in ("W1", "b1", "W2", "b2")}
    grads = {f"d{n}": a + 1.0 for n, a in weights.items()}
    found = kept_by({"grads": grads, "X": given["X"], "y": given["y"], "params": weights, "_": [1]})
    assert found is not None
    for name, array in zip(ARGUMENTS, found, strict=True):
        np.testing.assert_array_equal(array, given[name])
    assert kept_by({"X": given["X"], "y": given["y"]}) is None
    assert kept_by({n: a for n, a in given.items() if n != "y"}) is None


def test_training_is_no_step_where_only_steps_count() -> None:
    given = {n: a for n, a in six().items() if n != "y"}
    for strict, seen in ((False, {"W1"}), (True, set())):
        points = Points(given, strict=strict)
        points.look(7, given["W1"])
        points.look(7, given["W1"] - 0.01 * RNG.normal(size=(5, 6)))
        assert set(points.seen) == seen
    left = given["W1"].copy()
    for at in range(4):
        left.flat[at] += 1e-5
        points.look(7, left)
    assert len(points.seen["W1"]) == 4, "steps that were not taken back"
