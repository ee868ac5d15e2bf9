"""What is seen of the candidate's own finite differences: their sides, steps and verdicts."""

from __future__ import annotations

from dataclasses import replace

from grader.child.reports import CorruptionKind, DifferenceForm
from grader.defects.kind import Sighting, Telling
from grader.defects.signs.differences import narrow_step, never_refuses, one_side_only, wide_step
from grader.observe.difference_check import DifferenceCheck
from grader.records import TENSORS
from grader.source.program import Spot
from tests.checks.simulation import central, simulated
from tests.defects.planted_clues import clues_of

EVERY = (CorruptionKind.SCALE, CorruptionKind.ENTRY)
SIGNS: tuple[Telling, ...] = (one_side_only, wide_step, narrow_step, never_refuses)


def seen(record: DifferenceCheck) -> dict[Telling, Sighting]:
    """By the sign, what it tells of a check."""
    clues = clues_of("", view=simulated(differences=record))
    return {sign: sighting for sign in SIGNS for sighting in sign(clues, ())}


def test_a_sensible_check_shows_nothing() -> None:
    assert seen(central()) == {}
    assert seen(central(step=1e-4)) == {}


def test_no_check_shows_nothing() -> None:
    assert seen(DifferenceCheck()) == {}


def test_steps_to_one_side() -> None:
    found = seen(central(sides=(1,)))
    assert [*found] == [one_side_only]
    assert found[one_side_only].tensors == TENSORS
    assert "on one side of W1, b1, W2, b2, X only" in found[one_side_only].message


def test_steps_that_are_too_wide_or_too_narrow() -> None:
    wide, narrow = seen(central(step=0.1)), seen(central(step=1e-12))
    assert ([*wide], [*narrow]) == ([wide_step], [narrow_step])
    assert wide[wide_step].message.startswith("gradient_check: a step of 0.1 leaves an error of")
    assert narrow[narrow_step].tensors == TENSORS


def test_a_step_that_the_caller_chooses_is_not_the_candidates() -> None:
    assert seen(replace(central(step=0.1), asks_step=True)) == {}


def test_a_check_that_accepts_everything() -> None:
    record = central(**dict.fromkeys(TENSORS, EVERY))
    record = replace(record, place=("a.py", 7))
    found = seen(record)
    assert [*found] == [never_refuses]
    assert found[never_refuses].spot == Spot("a.py", 7, 7)
    assert found[never_refuses].message.startswith("gradient_check accepts each gradient ")


def test_a_check_that_refuses_something_or_the_right_gradient_or_gives_no_verdict() -> None:
    most = central(**dict.fromkeys(TENSORS[1:], EVERY))
    assert seen(most) == {}
    everything = central(**dict.fromkeys(TENSORS, EVERY))
    refusing = replace(everything, trials=replace(everything.trials, accepts=False))
    assert seen(refusing) == {}
    assert seen(replace(everything, kind=DifferenceForm.HELPER)) == {}
