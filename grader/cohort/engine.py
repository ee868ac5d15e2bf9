"""The engine: zygotes, one exam, and the line from a submission to its result."""

from __future__ import annotations

import secrets
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache

from grader.bundled import bundled
from grader.checks import ALL_CHECKS, View, run_checks
from grader.cohort.course import under_contract
from grader.diagnosis import (
    Diagnosis,
    Predictions,
    annotated,
    diagnose,
    network,
    process_defects,
)
from grader.errors import HarnessError, SandboxError
from grader.figures import pictures
from grader.intake import take_in
from grader.observe.everything import seen_of, unseen
from grader.observe.observe import Allowance, time_reference
from grader.observe.oracle import expectations, stack_expectations
from grader.observe.trace import Trace, take_trace
from grader.observe.trial import Trials, trials
from grader.observe.zygotes import Zygotes
from grader.problem import Exam, set_paper
from grader.records import (
    Annotation,
    Case,
    CheckStatus,
    Defect,
    Ended,
    Finding,
    GraphNode,
    Observation,
    Observations,
    Pictures,
    ProcessReport,
    Result,
    Submission,
)
from grader.repair import Workbench, repaired
from grader.rubric import Rubric
from grader.scoring import grade

EXAM_TRIES = 3
"""A whole cohort waits for the exam: a child that a busy machine starves must not undo it."""


def fresh_seed() -> int:
    """A seed that nobody can predict, small enough for JSON's numbers."""
    return secrets.randbits(48)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run grades. `seed` decides the inputs; keep it secret until the grades are out.

    `mends`: whether a wrong submission's defects are mended on trial, and the mends proven.
    """

    seed: int = field(default_factory=fresh_seed)
    allowance: Allowance = Allowance()
    unconfined: bool = False
    mends: bool = False


class Engine:
    """Grades submissions under one rubric and one seed; threads may share it.

    Starting is cheap: the oracle answers and the reference is timed in the
    background, while the first submission's NumPy part already runs; with
    `exam` that has been done before. The zygotes are the caller's, and may serve
    several engines.
    """

    def __init__(
        self, rubric: Rubric, settings: Settings, zygotes: Zygotes, exam: Exam | None = None
    ) -> None:
        self.rubric, self.settings = rubric, settings
        self.checks = {check.id: check for check in ALL_CHECKS}
        self.paper = exam.paper if exam is not None else set_paper(settings.seed)
        self.predictions = Predictions(self.paper)
        self._zygotes = zygotes
        self._exam: Future[Exam] = Future()
        if exam is not None:
            self._exam.set_result(exam)
        else:
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
                stacks = stack_expectations(self.paper, self._zygotes.torch)
                self._exam.set_result(Exam(self.paper, expected, seconds, stacks))
                return
            except BaseException as error:  # whatever it is, it belongs to those who wait
                if not left or not isinstance(error, SandboxError):
                    self._exam.set_exception(error)
                    return

    def grade(self, submission: Submission) -> Result:
        """The result of one submission. A fault of ours gives `undecided`, never a zero."""
        started = time.perf_counter()
        submission = under_contract(submission, self.rubric.contract)
        try:
            seen, findings = self._examine(submission)
        except HarnessError as error:
            return self.undecided(submission, str(error))
        except Exception as error:  # a bug of ours is one submission's trouble, not the run's
            return self.undecided(submission, f"the grader failed: {error!r}")
        broken = [f.message for f in findings if f.status is CheckStatus.ERROR]
        torch_trace = cache(lambda: self._trace(submission, "torch"))
        diagnosis = self._diagnose(submission, seen, findings, torch_trace)
        taken = torch_trace() if torch_trace.cache_info().currsize else Trace()
        defects = self._mended(submission, seen, findings, diagnosis, torch_trace)
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
            defects,
            seen.observations,
            {"wall_s": time.perf_counter() - started},
            broken[0] if broken else "",
            *self._pictured(submission, seen, findings, diagnosis, taken),
            _drawn(submission, seen, findings),
            contract=_contract(self.rubric),
        )

    def undecided(self, submission: Submission, fault: str) -> Result:
        """The result of a submission that could not be assessed, through no fault of its own."""
        return undecided(self.rubric, self.settings, submission, fault)

    def _diagnose(
        self,
        submission: Submission,
        view: View,
        findings: Sequence[Finding],
        torch_trace: Callable[[], Trace],
    ) -> Diagnosis:
        """Named defects, where the checks ran; what a process did, where they did not."""
        if any(f.status is CheckStatus.ERROR for f in findings):
            return Diagnosis(process_defects(submission, view.observations))
        try:
            return diagnose(submission, view, findings, self.predictions, torch_trace)
        except Exception as error:  # the numbers stand without it, and so does the grade
            warnings.warn(f"{submission.id}: the diagnosis failed: {error!r}", stacklevel=2)
            return Diagnosis(process_defects(submission, view.observations))

    def _pictured(
        self,
        submission: Submission,
        view: View,
        findings: Sequence[Finding],
        diagnosis: Diagnosis,
        torch_trace: Trace,
    ) -> tuple[tuple[Annotation, ...], tuple[GraphNode, ...]]:
        """What stands beside the source's lines, and the drawn network; empty if that fails."""
        if any(f.status is CheckStatus.ERROR for f in findings):
            return (), ()
        try:
            traces = {"numpy": view.named, "torch": view.names_of(torch_trace)}
            graph = network(view, findings, diagnosis, traces)
            beside = annotated(view, diagnosis, self.predictions, traces, graph)
        except Exception as error:  # the grade stands without a picture
            warnings.warn(f"{submission.id}: the picture failed: {error!r}", stacklevel=2)
            return (), ()
        return beside, graph

    def _mended(
        self,
        submission: Submission,
        view: View,
        findings: Sequence[Finding],
        diagnosis: Diagnosis,
        torch_trace: Callable[[], Trace],
    ) -> tuple[Defect, ...]:
        """The defects with mends that are proven. The grade is settled without them."""
        if not self.settings.mends or any(f.status is CheckStatus.ERROR for f in findings):
            return diagnosis.defects

        def tried(side: str, cases: Sequence[Case]) -> AbstractContextManager[Trials | None]:
            zygote = self._zygotes.numpy if side == "numpy" else self._zygotes.torch
            allowance = self.settings.allowance
            return trials(submission, cases, side, self.paper.noise, zygote, allowance)

        workbench = Workbench(
            lambda repaired: self._examine(repaired)[1],
            tried,
            lambda side: view.trace if side == "numpy" else torch_trace(),
        )
        try:
            return repaired(submission, view, findings, diagnosis, workbench)
        except Exception as error:  # a mend is an extra: without it all stands as it is
            warnings.warn(f"{submission.id}: the mending failed: {error!r}", stacklevel=2)
            return diagnosis.defects

    def _examine(self, submission: Submission) -> tuple[View, list[Finding]]:
        """What is seen of a submission, and what the checks say of it."""
        if submission.main:
            allowance = self.settings.allowance
            seen = seen_of(submission, self.paper, self._zygotes, allowance)
        else:
            why = submission.defects[0].message if submission.defects else "no Python file"
            seen = unseen(_nothing(Ended.MISSING, why))
        everything = View(self.exam(), *seen)
        return everything, run_checks(ALL_CHECKS, everything)

    def _trace(self, submission: Submission, side: str) -> Trace:
        """What every expression of one part was, in a child of its own."""
        zygote = self._zygotes.numpy if side == "numpy" else self._zygotes.torch
        return take_trace(submission, self.paper, side, zygote, self.settings.allowance)


def undecided(rubric: Rubric, settings: Settings, submission: Submission, fault: str) -> Result:
    """The result of a submission that could not be assessed, through no fault of its own."""
    checks = {check.id: check for check in ALL_CHECKS}
    findings = [Finding(id, CheckStatus.ERROR, "Not assessed.") for id in checks]
    return Result(
        submission,
        rubric.id,
        rubric.title,
        rubric.digest,
        settings.seed,
        grade(rubric, findings, checks),
        (),
        _nothing(Ended.HARNESS, fault),
        {"wall_s": 0.0},
        fault,
        contract=_contract(rubric),
    )


def _drawn(submission: Submission, view: View, findings: Sequence[Finding]) -> Pictures:
    """What the comparisons look like; empty if that fails."""
    if any(f.status is CheckStatus.ERROR for f in findings):
        return Pictures()
    try:
        return pictures(view)
    except Exception as error:  # the grade stands without a picture
        warnings.warn(f"{submission.id}: the picture failed: {error!r}", stacklevel=2)
        return Pictures()


def _contract(rubric: Rubric) -> tuple[str, str]:
    """Title and digest of the course's contract; ("", "") under the canonical one."""
    return (rubric.contract.title, rubric.contract.digest) if rubric.contract else ("", "")


def _nothing(ended: Ended, why: str) -> Observations:
    """The observations of a submission that never ran."""
    report = ProcessReport(Observation(ended, error=why))
    return Observations(report, report, {})
