"""The engine: zygotes, one exam, and the line from a submission to its result."""

from __future__ import annotations

import secrets
import threading
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from grader.bundled import bundled
from grader.checks import ALL_CHECKS, Seen, run_checks
from grader.diagnosis import Diagnosis, Predictions, diagnose, process_defects
from grader.errors import HarnessError, SandboxError
from grader.intake import take_in
from grader.observe.observe import Allowance, observe, time_reference
from grader.observe.oracle import expectations
from grader.observe.trace import Trace, take_trace
from grader.observe.zygotes import Zygotes
from grader.problem import Exam, set_paper
from grader.records import (
    CheckStatus,
    Ended,
    Finding,
    Observation,
    Observations,
    ProcessReport,
    Result,
    Submission,
)
from grader.rubric import Rubric
from grader.scoring import grade

EXAM_TRIES = 3
"""A whole cohort waits for the exam: a child that a busy machine starves must not undo it."""


def fresh_seed() -> int:
    """A seed that nobody can predict, small enough for JSON's numbers."""
    return secrets.randbits(48)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run grades. `seed` decides the inputs; keep it secret until the grades are out."""

    seed: int = field(default_factory=fresh_seed)
    allowance: Allowance = Allowance()
    unconfined: bool = False


class Engine:
    """Grades submissions under one rubric and one seed; threads may share it.

    Starting is cheap: the oracle answers and the reference is timed in the
    background, while the first submission's NumPy part already runs. The
    zygotes are the caller's, and may serve several engines.
    """

    def __init__(self, rubric: Rubric, settings: Settings, zygotes: Zygotes) -> None:
        self.rubric, self.settings = rubric, settings
        self.checks = {check.id: check for check in ALL_CHECKS}
        self.paper = set_paper(settings.seed)
        self.predictions = Predictions(self.paper)
        self._zygotes = zygotes
        self._exam: Future[Exam] = Future()
        threading.Thread(target=self._prepare, name="exam", daemon=True).start()

    def exam(self) -> Exam:
        """The paper with the oracle's answers; waits for them. Raises `SandboxError`."""
        return self._exam.result()

    def stop(self) -> None:
        """End every process at once; what is being graded comes back undecided."""
        self._zygotes.close()

    def _prepare(self) -> None:
        for left in reversed(range(EXAM_TRIES)):
            try:
                reference = take_in(bundled("reference"))
                seconds = time_reference(reference, self.paper, self._zygotes.numpy)
                expected = expectations(self.paper, self._zygotes.torch)
                self._exam.set_result(Exam(self.paper, expected, seconds))
                return
            except BaseException as error:  # whatever it is, it belongs to those who wait
                if not left or not isinstance(error, SandboxError):
                    self._exam.set_exception(error)
                    return

    def grade(self, submission: Submission) -> Result:
        """The result of one submission. A fault of ours gives `undecided`, never a zero."""
        started = time.perf_counter()
        try:
            observations = self._observe(submission)
            loaded = observations.numpy.loaded.ok  # what hangs would only hang again
            trace = self._trace(submission, "numpy") if loaded else Trace()
            seen = Seen(self.exam(), observations, trace)
            findings = run_checks(ALL_CHECKS, seen)
        except HarnessError as error:
            return self.undecided(submission, str(error))
        except Exception as error:  # a bug of ours is one submission's trouble, not the run's
            return self.undecided(submission, f"the grader failed: {error!r}")
        broken = [f.message for f in findings if f.status is CheckStatus.ERROR]
        diagnosis = self._diagnose(submission, seen, findings)
        return Result(
            submission,
            self.rubric.id,
            self.rubric.title,
            self.rubric.digest,
            self.settings.seed,
            grade(
                self.rubric,
                findings,
                self.checks,
                defects=diagnosis.defects,
                explained=diagnosis.explained,
            ),
            diagnosis.defects,
            observations,
            {"wall_s": time.perf_counter() - started},
            broken[0] if broken else "",
        )

    def undecided(self, submission: Submission, fault: str) -> Result:
        """The result of a submission that could not be assessed, through no fault of its own."""
        findings = [Finding(id, CheckStatus.ERROR, "Not assessed.") for id in self.checks]
        return Result(
            submission,
            self.rubric.id,
            self.rubric.title,
            self.rubric.digest,
            self.settings.seed,
            grade(self.rubric, findings, self.checks),
            (),
            _nothing(Ended.HARNESS, fault),
            {"wall_s": 0.0},
            fault,
        )

    def _diagnose(
        self, submission: Submission, seen: Seen, findings: Sequence[Finding]
    ) -> Diagnosis:
        """Named defects, where the checks ran; what a process did, where they did not."""
        if any(f.status is CheckStatus.ERROR for f in findings):
            return Diagnosis(process_defects(submission, seen.observations))

        def torch_trace() -> Trace:
            return self._trace(submission, "torch")

        try:
            return diagnose(submission, seen, findings, self.predictions, torch_trace)
        except Exception as error:  # the numbers stand without it, and so does the grade
            warnings.warn(f"{submission.id}: the diagnosis failed: {error!r}", stacklevel=2)
            return Diagnosis(process_defects(submission, seen.observations))

    def _trace(self, submission: Submission, side: str) -> Trace:
        """What every expression of one part was."""
        zygote = self._zygotes.numpy if side == "numpy" else self._zygotes.torch
        return take_trace(submission, self.paper, side, zygote, self.settings.allowance)

    def _observe(self, submission: Submission) -> Observations:
        if not submission.main:
            why = submission.defects[0].message if submission.defects else "no Python file"
            return _nothing(Ended.MISSING, why)
        numpy, torch = self._zygotes.numpy, self._zygotes.torch
        return observe(submission, self.paper, numpy, torch, self.settings.allowance)


def _nothing(ended: Ended, why: str) -> Observations:
    """The observations of a submission that never ran."""
    report = ProcessReport(Observation(ended, error=why))
    return Observations(report, report, {})
