"""The numbers on which differences are taken, from the calls or from what a script keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.child.binding.canonical import ARGUMENTS
from grader.child.trials.inputs import CallLog, inputs_in

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
    noticed, calls = CallLog(), []
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
    noticed, given = CallLog(), six()
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
    noticed = CallLog()
    noticed.listening(lambda *_: None)(np.zeros(3), {"W1": np.zeros(3)})
    assert noticed.base is None


def test_what_a_script_keeps_under_the_names_of_the_inputs() -> None:
    given = six()
    weights = {n: given[n] for n in ("W1", "b1", "W2", "b2")}
    grads = {f"d{n}": a + 1.0 for n, a in weights.items()}
    found = inputs_in(
        {"grads": grads, "X": given["X"], "y": given["y"], "params": weights, "_": [1]}
    )
    assert found is not None
    for name, array in zip(ARGUMENTS, found, strict=True):
        np.testing.assert_array_equal(array, given[name])
    assert inputs_in({"X": given["X"], "y": given["y"]}) is None
    assert inputs_in({n: a for n, a in given.items() if n != "y"}) is None
