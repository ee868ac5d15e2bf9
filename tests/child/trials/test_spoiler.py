"""Where a run is listened to, and where it is not."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from grader.child import instrument
from grader.child.trials.spoiler import Run, Spoiler, known

SOURCE = b"""
def f(x):
    y = x * 2.0
    big = y > 3.0
    z = y + 1.0
    return z, z > 0.0
"""
REPORTERS = (instrument.SEE, instrument.HOLD, instrument.HELD)


@pytest.fixture
def spoiler() -> Iterator[Spoiler]:
    before = {name: getattr(builtins, name) for name in REPORTERS if hasattr(builtins, name)}
    made = Spoiler()
    made.install()
    yield made
    for name in REPORTERS:
        delattr(builtins, name)
        if name in before:
            setattr(builtins, name, before[name])


def places_of(table: list[instrument.Entry], line: int, kind: str) -> list[int]:
    """The ids of what is of that kind on that line."""
    return [i for i, e in enumerate(table) if (e.line, instrument.KINDS[e.kind]) == (line, kind)]


def loaded() -> tuple[Any, list[instrument.Entry]]:
    code, table = instrument.instrument(SOURCE, "f.py")
    names: dict[str, Any] = {}
    exec(code, names)
    return names["f"], table


def test_a_run_that_asks_for_some_places_hears_of_no_others(spoiler: Spoiler) -> None:
    f, table = loaded()
    x = np.array([1.0, 2.0])
    (middle,), (last,) = places_of(table, 4, "compare"), places_of(table, 6, "compare")
    everywhere, there = Run(learning=True), Run(only=frozenset([last]))
    for run in (everywhere, there):
        with spoiler.during_run(run):
            f(x)
    assert set(everywhere.truths) == {middle, last}
    assert there.truths == {last: [True]}


def test_a_swap_is_made_wherever_it_is(spoiler: Spoiler) -> None:
    f, table = loaded()
    x = np.array([1.0, 2.0])
    (place,) = places_of(table, 3, "multiply")
    run = Run(only=frozenset())
    run.swap(place, known("hand", "W1", 2.0 * x), np.array([-7.0, -7.0]))
    with spoiler.during_run(run):
        z, _ = f(x)
    assert run.swapped == {"W1"} and z.tolist() == [-6.0, -6.0]


def test_a_loss_may_stand_anywhere(spoiler: Spoiler) -> None:
    f, _ = loaded()
    run = Run(only=frozenset(), loss=(5.0, 9.0))
    with spoiler.during_run(run):
        z, _ = f(2.0)
    assert z == 9.0


def test_nothing_is_heard_between_runs(spoiler: Spoiler) -> None:
    f, _ = loaded()
    run = Run(learning=True)
    with spoiler.during_run(run):
        pass
    assert f(1.0)[0] == 3.0
    assert run.visited == {}
    with spoiler.during_run(run):
        f(1.0)
    assert run.visited
