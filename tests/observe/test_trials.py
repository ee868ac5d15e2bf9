"""Trials are kept where they make sense, with a line that there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.child.reports import CorruptionKind, Refusal, TrialOutcome, TrialReport
from grader.observe.trials import read_trials, real_place

SOURCES = {"a.py": ("x = 1", "y = 2")}
GOOD = TrialReport(
    "primes", CorruptionKind.SCALE, 1.01, "W1", TrialOutcome.REFUSED, Refusal.RETURN, "a.py", 2
)


def test_a_trial_tells_what_was_done() -> None:
    (trial,) = read_trials([GOOD], ("primes",), SOURCES)
    assert (trial.error, trial.words, trial.gross, trial.missed) == (
        0.01,
        "times 1.01",
        False,
        False,
    )
    assert (trial.file, trial.line) == ("a.py", 2)


@pytest.mark.parametrize(
    "lie",
    [{"case": "other"}, {"tensor": "W9"}, {"amount": float("nan")}, {"by": None},
     {"outcome": TrialOutcome.ACCEPTED}],
)  # fmt: skip
def test_one_that_makes_no_sense_is_passed_over(lie: dict[str, object]) -> None:
    assert read_trials([replace(GOOD, **lie)], ("primes",), SOURCES) == ()


def test_a_place_is_one_of_the_submissions() -> None:
    assert real_place(("a.py", 1), SOURCES) == ("a.py", 1)
    for place in (("a.py", 0), ("a.py", 3), ("b.py", 1)):
        assert real_place(place, SOURCES) == ("", 0)
