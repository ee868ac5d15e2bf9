"""What the examinations of both kinds of check share: subject, plan, clock, trials (child's side).

An examination loads the submission anew, runs its check on a pair that agrees, and runs it
again with one gradient made wrong. The judge chose how, and concludes; what is reported is
hearsay, like all that a child says.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.child import reports
from grader.child.binding.canonical import ARGUMENTS
from grader.child.reports import MISSED, Corruption, TrialOutcome, TrialPlan, TrialReport
from grader.child.trials.session import Session
from grader.child.trials.spoiler import Array
from grader.child.trials.subject import Subject

if TYPE_CHECKING:
    from grader.child.driver import Driver


class Examination:
    """One submission's check put to the test: its subject, the plan, the clock, the trials."""

    def __init__(self, driver: Driver, files: dict[str, bytes], items: Mapping[str, Any]) -> None:
        self.plan = TrialPlan.from_json(items["plan"])
        self.until = time.monotonic() + self.plan.seconds
        self.driver, self.items = driver, items
        self.trials: list[TrialReport] = []
        self.case = self.plan.cases[0]
        self.subject = Subject(driver, files, items["main"])

    def arguments(self, case: int) -> list[Array]:
        """Return the inputs of the plan's case of that number."""
        return [self.items[f"{name}{case}"] for name in ARGUMENTS]

    @property
    def in_time(self) -> bool:
        """Return whether another run would end before the time is up."""
        return time.monotonic() + self.subject.slowest < self.until

    def try_all(self, session: Session, stage: str, tensors: Sequence[str]) -> None:
        """Try each corruption of a stage on each tensor, as long as there is time."""
        for corruption in self.plan.stages[stage]:
            for tensor in tensors:
                if not self.in_time:
                    return
                self.report(session, tensor, corruption)

    def report(self, session: Session, tensor: str, corruption: Corruption) -> TrialReport:
        """Try one corruption of one tensor, and report it."""
        with self.subject.timed():
            outcome, by, response = session.tried(tensor, corruption)
        place = session.place(response) if by and response else reports.NOWHERE
        trial = TrialReport(
            self.case, corruption.kind, corruption.amount, tensor, outcome, by, *place
        )
        self.add(trial)
        return trial

    def add(self, trial: TrialReport) -> None:
        """Keep a trial; the judge reads no more than `MAX_TRIALS`."""
        if len(self.trials) < reports.MAX_TRIALS:
            self.trials.append(trial)

    def of(self, tensor: str = "") -> list[TrialReport]:
        """Return the trials on the current case, of one tensor if any."""
        return [t for t in self.trials if t.case == self.case and t.tensor == (tensor or t.tensor)]

    def missed(self, tensor: str) -> bool:
        """Return whether a trial of the tensor was not refused."""
        return any(t.outcome in MISSED for t in self.of(tensor))

    def refused(self, tensor: str = "") -> bool:
        """Return whether a trial, of the tensor if any, was refused."""
        return any(t.outcome is TrialOutcome.REFUSED for t in self.of(tensor))


@contextlib.contextmanager
def seeded(noise: int) -> Iterator[None]:
    """Let `default_rng()` without a seed draw the same in each run, as the old generators do."""
    plain = np.random.default_rng

    def default_rng(seed: Any = None) -> Any:
        return plain(noise if seed is None else seed)

    np.random.default_rng = default_rng
    try:
        yield
    finally:
        np.random.default_rng = plain
