"""How far a run is, how fast it goes, and how long it will still take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from grader.cohort.outcomes import Graded
from grader.report.stored import is_undecided, is_unjudged

RECENT = 64
"""Graded submissions over which the rate is taken: a slow one passes, a slow disk shows."""


class Pace:
    """Counts outcomes as they come in. What was kept from an earlier run is no work."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Start counting; `clock` returns seconds."""
        self.total, self.clock = total, clock
        self.done = self.kept = self.undecided = self.unjudged = 0
        self.started = clock()
        self._moments = deque([self.started], maxlen=RECENT)

    def count(self, graded: Graded) -> None:
        """Count one more outcome."""
        self.done += 1
        self.kept += graded.kept
        self.undecided += is_undecided(graded.document)
        self.unjudged += is_unjudged(graded.document)
        if not graded.kept:
            self._moments.append(self.clock())

    @property
    def graded(self) -> int:
        """Return submissions graded by this run."""
        return self.done - self.kept

    @property
    def rate(self) -> float:
        """Return submissions a second, of late; 0 before the first."""
        passed = self._moments[-1] - self._moments[0]
        return (len(self._moments) - 1) / passed if passed > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Return seconds that the rest will take at this rate; None while that is not known."""
        return (self.total - self.done) / self.rate if self.rate else None

    @property
    def words(self) -> str:
        """Return `3.2/s, 1:05 left`, or `4.0 s each, …`; "" while nothing is known."""
        if self.left is None:
            return ""
        minutes, seconds = divmod(round(self.left), 60)
        hours, minutes = divmod(minutes, 60)
        left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        speed = f"{self.rate:.1f}/s" if self.rate >= 1.0 else f"{1.0 / self.rate:.1f} s each"
        return f"{speed}, {left} left"
