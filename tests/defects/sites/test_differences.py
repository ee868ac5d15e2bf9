"""The lines of a finite-difference check: its quotient, its step, its verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.defects.make import make
from grader.defects.sites.differences import quotient, step, verdict
from grader.records import TENSORS, Defect
from tests.checks.simulation import central, simulated
from tests.defects.planted_clues import clues_of

NETWORK = "def forward(X, y):\n    return X / (y - 1), {}\n\n\n"
CHECK = """\
def gradient_check(X, y):
    h = 1e-1
    scale = 3 / 4
    up, down = forward(X + h, y), forward(X - h, y)
    slope = (up - down) / (2 * h)
    if slope > 1:
        return False
    return abs(slope) < 1
"""


def defect(*tensors: str) -> Defect:
    return make("fd-step-too-large", "Wide.", tensors)


def lines(source: str, taken: float = 0.1, at: Defect | None = None) -> list[int | None]:
    """The lines of the quotient, the step and the verdict."""
    clues = clues_of(source, view=simulated(differences=central(step=taken)))
    spots = [f(clues, at or defect(*TENSORS)) for f in (quotient, step, verdict)]
    return [spot and spot.line for spot in spots]


def test_the_quotient_the_step_and_the_verdict() -> None:
    assert lines(NETWORK + CHECK) == [9, 6, 12]


def test_any_division_is_better_than_none() -> None:
    text = NETWORK + CHECK.replace("(up - down)", "minus(up, down)")
    assert lines(text)[0] == 7
    assert lines(NETWORK + "def gradient_check(X, y):\n    return True\n")[0] is None


@pytest.mark.parametrize("written", ["10 ** -1", "0.1", "100e-3", "0.1005"])
def test_a_step_may_be_written_as_a_power(written: str) -> None:
    assert lines(NETWORK + CHECK.replace("1e-1", written))[1] == 6


@pytest.mark.parametrize("written", ["True", "'0.1'", "99 ** -1", "0.12"])
def test_another_constant_is_not_the_step(written: str) -> None:
    assert lines(NETWORK + CHECK.replace("1e-1", written))[1] == 9


def test_a_step_of_the_module_is_found_there() -> None:
    text = "H = 0.1\n" + NETWORK + CHECK.replace("h = 1e-1", "h = H")
    assert lines(text) == [10, 1, 13]


def test_only_the_tensors_of_the_defect_tell_its_step() -> None:
    assert lines(NETWORK + CHECK, at=defect("W1"))[1] == 6
    assert lines(NETWORK + CHECK, at=defect())[1] == 9


def test_a_check_that_is_not_in_the_source_has_no_line() -> None:
    record = replace(central(), name="elsewhere")
    clues = clues_of(NETWORK + CHECK, view=simulated(differences=record))
    assert quotient(clues, defect()) is step(clues, defect()) is verdict(clues, defect()) is None


def test_a_check_that_returns_nothing_is_judged_as_a_whole() -> None:
    assert lines("def gradient_check(X, y):\n    assert X\n")[2] == 1
