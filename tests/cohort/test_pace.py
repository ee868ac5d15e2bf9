"""Rate and time left follow what is graded, not what was kept."""

from __future__ import annotations

from grader.cohort.outcomes import Graded
from grader.cohort.pace import RECENT, Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def outcome(*, kept: bool = False, status: str = "graded") -> Graded:
    return Graded("ada", {"status": status}, kept)


def test_nothing_is_claimed_before_anything_is_graded() -> None:
    pace = Pace(10, Clock())
    pace.count(outcome(kept=True))
    assert (pace.rate, pace.left, pace.words) == (0.0, None, "")


def test_what_was_kept_is_done_and_no_work() -> None:
    clock = Clock()
    pace = Pace(13, clock)
    for _ in range(3):
        pace.count(outcome(kept=True))
    for _ in range(4):
        clock.now += 0.5
        pace.count(outcome())
    assert (pace.done, pace.kept, pace.graded, pace.rate, pace.left) == (7, 3, 4, 2.0, 3.0)
    assert pace.words == "2.0/s, 0:03 left"


def test_the_rate_is_that_of_late() -> None:
    clock = Clock()
    pace = Pace(100_000, clock)
    for _ in range(RECENT):
        clock.now += 1.0
        pace.count(outcome())
    for _ in range(RECENT):
        clock.now += 0.25
        pace.count(outcome(status="undecided"))
    assert pace.rate == 4.0
    assert pace.undecided == RECENT
    assert pace.words == "4.0/s, 6:56:08 left"


def test_a_slow_run_says_how_long_each_takes() -> None:
    clock = Clock()
    pace = Pace(3, clock)
    clock.now += 4.0
    pace.count(outcome())
    assert pace.words == "4.0 s each, 0:08 left"
