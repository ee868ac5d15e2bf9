"""The engine: zygotes, one exam, and the line from a submission to its result."""

from __future__ import annotations

import secrets
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeAlias, TypeVar

from grader.bundled import bundled
from grader.checks import ALL_CHECKS, View, run_checks
from grader.checks.verification import own_mismatch, own_verdict
from grader.cohort.course import apply_contract
from grader.diagnosis import (
    Diagnosis,
    Predictions,
    annotated,
    call_defects,
    diagnose,
    network,
    set_aside,
    unjudged,
)
from grader.errors import HarnessError, SandboxError
from grader.figures import pictures
from grader.intake import take_in
from grader.observe.examination import examine, without_runs
from grader.observe.observe import Allowance, time_reference
from grader.observe.oracle import expectations, stack_expectations
from grader.observe.trace import Trace, take_trace
from grader.observe.trial import Trials, trials
from grader.observe.zygotes import Zygotes
from grader.problem import Exam, set_paper
from grader.records import (
    Annotation,
    Case,
    Charge,
    CheckStatus,
    Defect,
    Ended,
    Finding,
    Grade,
    GraphNode,
    Observation,
    Observations,
    Pictures,
    ProcessReport,
    Result,
    Submission,
)
from grader.repair import Corrected, CorrectionBench, Workbench, corrected, repaired
from grader.rubric import Rubric
from grader.sandbox.pool import Zygote
from grader.scoring import correction_charges, grade
from grader.source.program import Program
from grader.source.work import WorkPlace, work_places

EXAM_TRIES = 3
"""A whole cohort waits for the exam: a child that a busy machine starves must not undo it."""


Picture: TypeAlias = tuple[tuple[Annotation, ...], tuple[GraphNode, ...]]
"""The notes beside the source, and the drawn network."""


def fresh_seed() -> int:
    """Return a seed that nobody can predict, small enough for JSON's numbers."""
    return secrets.randbits(48)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run grades. `seed` decides the inputs; keep it secret until the grades are out.

    `mends`: whether the defects of a wrong submission are repaired on trial, and repairs proven.
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
        """Return the paper with the oracle's answers; waits for them. Raises `SandboxError`."""
        return self._exam.result()

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
        """Return the result of one submission. A fault of ours gives `undecided`, never a zero."""
        started = time.perf_counter()
        submission = apply_contract(submission, self.rubric.contract)
        try:
            view, findings = self._examine(submission)
        except MemoryError:
            raise
        except HarnessError as error:
            return self.undecided(submission, str(error))
        except Exception as error:  # a bug of ours is one submission's trouble, not the run's
            return self.undecided(submission, f"the grader failed: {error!r}")
        fixed = self._corrected(submission, view, findings)
        why = unjudged(fixed.submission, fixed.view)
        fixed = replace(fixed, findings=set_aside(fixed.findings)) if why else fixed
        fault = next((f.message for f in fixed.findings if f.status is CheckStatus.ERROR), "")
        torch_trace = cache(lambda: self._trace(fixed.submission, "torch"))
        diagnosis = self._diagnosis(fixed, torch_trace)
        charges = self._correction_charges(submission, view, findings, fixed, diagnosis)
        scored = self._scored(fixed, diagnosis, charges, unjudged=why is not None)
        result = _result(self.rubric, self.settings, submission, scored, view.observations, fault)
        result = replace(
            result,
            observations=fixed.view.observations,
            defects=(*fixed.defects, *diagnosis.defects),
            corrections=fixed.corrections,
            uncorrected=fixed.left if diagnosis.defects else "",
            own_verdict=own_verdict(fixed.view),
            own_mismatch=own_mismatch(fixed.view),
            unjudged=None if fault else why,
        )
        if not (fault or submission.numbers_only):
            traced = torch_trace() if torch_trace.cache_info().currsize else Trace()
            result = self._with_extras(result, fixed, diagnosis, torch_trace, traced)
        return replace(result, timing={"wall_s": time.perf_counter() - started})

    def _corrected(
        self, submission: Submission, view: View, findings: Sequence[Finding]
    ) -> Corrected:
        """Return the submission without the slips that keep it from running."""
        bench = CorrectionBench(self._examine, self._trials)
        as_it_was = Corrected(submission, view, findings)
        return _extra(
            submission,
            "correction",
            lambda: corrected(submission, view, findings, bench),
            as_it_was,
        )

    def _diagnosis(self, answer: Corrected, torch_trace: Callable[[], Trace]) -> Diagnosis:
        """Return the defects of what was graded; only how calls ended where no more is read."""
        submission, view, findings = answer.submission, answer.view, answer.findings
        plain = Diagnosis(call_defects(submission, view, findings))
        fault = any(f.status is CheckStatus.ERROR for f in findings)
        if fault or submission.numbers_only:
            return plain
        arguments = submission, view, findings, self.predictions, torch_trace
        return _extra(submission, "diagnosis", lambda: diagnose(*arguments), plain)

    def _scored(
        self,
        answer: Corrected,
        diagnosis: Diagnosis,
        charges: Sequence[Charge] = (),
        *,
        unjudged: bool = False,
    ) -> Grade:
        return grade(
            *(self.rubric, answer.findings, self.checks),
            defects=diagnosis.defects,
            explained=diagnosis.explained,
            own_verdict=own_verdict(answer.view),
            corrected=charges,
            unjudged=unjudged,
        )

    def _correction_charges(
        self,
        submission: Submission,
        view: View,
        findings: Sequence[Finding],
        fixed: Corrected,
        diagnosis: Diagnosis,
    ) -> tuple[Charge, ...]:
        """Return what the slips cost of what their correction wins."""
        if not fixed.corrections:
            return ()
        as_it_was = Corrected(submission, view, findings)
        before = self._diagnosis(as_it_was, lambda: self._trace(submission, "torch"))
        won = self._scored(as_it_was, before), self._scored(fixed, diagnosis)
        return correction_charges(fixed.defects, *won)

    def undecided(self, submission: Submission, fault: str) -> Result:
        """Return the result of what could not be assessed, through no fault of its own."""
        return undecided(self.rubric, self.settings, submission, fault)

    def _with_extras(
        self,
        result: Result,
        answer: Corrected,
        diagnosis: Diagnosis,
        torch_trace: Callable[[], Trace],
        traced: Trace,
    ) -> Result:
        """Add notes, the drawn network, pictures and repairs; the grade stands without them."""
        submission, view, findings = answer.submission, answer.view, answer.findings

        def draw() -> Picture:
            traces = {"numpy": view.named, "torch": view.names_of(traced)}
            graph = network(view, findings, diagnosis, traces)
            return annotated(view, diagnosis, self.predictions, traces, graph), graph

        def repair() -> tuple[Defect, ...]:
            bench = self._workbench(submission, view, torch_trace)
            return (*answer.defects, *repaired(submission, view, findings, diagnosis, bench))

        nothing: Picture = ((), ())
        annotations, graph = _extra(submission, "picture", draw, nothing)
        moved = {(c.path, c.line) for c in answer.corrections}  # columns are those of the edit
        annotations = tuple(a for a in annotations if (a.file, a.line) not in moved)
        drawn = _extra(submission, "picture", lambda: pictures(view), Pictures())
        defects = result.defects
        if self.settings.mends:
            defects = _extra(submission, "mending", repair, defects)
        return replace(
            result, defects=defects, annotations=annotations, graph=graph, pictures=drawn
        )

    def _workbench(
        self, submission: Submission, view: View, torch_trace: Callable[[], Trace]
    ) -> Workbench:
        """Return what repairs are tried with: the examination, trials, and traces."""

        def tried(side: str, cases: Sequence[Case]) -> AbstractContextManager[Trials | None]:
            return self._trials(submission, side, cases)

        return Workbench(
            lambda edited: self._examine(edited)[1],
            tried,
            lambda side: view.trace if side == "numpy" else torch_trace(),
        )

    def _trials(
        self, submission: Submission, side: str, cases: Sequence[Case]
    ) -> AbstractContextManager[Trials | None]:
        """Return a child that tries versions of one side of a submission."""
        zygote, allowance = self._zygote(side), self.settings.allowance
        return trials(submission, cases, side, self.paper.noise, zygote, allowance)

    def _examine(self, submission: Submission) -> tuple[View, list[Finding]]:
        """Return what is seen of a submission, and what the checks say of it."""
        if submission.main:
            allowance = self.settings.allowance
            observed = examine(submission, self.paper, self._zygotes, allowance)
        else:
            unusable = submission.unusable
            why = f"Nothing could be graded: {unusable[0]}." if unusable else "no Python file"
            observed = without_runs(_no_observations(Ended.MISSING, why))
        view = View(self.exam(), *observed, work=_work(submission, observed.observations))
        return view, run_checks(ALL_CHECKS, view)

    def _trace(self, submission: Submission, side: str) -> Trace:
        """Return what every expression of one part was, in a child of its own."""
        return take_trace(submission, self.paper, side, self._zygote(side), self.settings.allowance)

    def _zygote(self, side: str) -> Zygote:
        return self._zygotes.numpy if side == "numpy" else self._zygotes.torch


def undecided(rubric: Rubric, settings: Settings, submission: Submission, fault: str) -> Result:
    """Return the result of what could not be assessed, through no fault of its own."""
    checks = {check.id: check for check in ALL_CHECKS}
    findings = [Finding(id, CheckStatus.ERROR, "Not assessed.") for id in checks]
    observations = _no_observations(Ended.HARNESS, fault)
    scored = grade(rubric, findings, checks)
    return _result(rubric, settings, submission, scored, observations, fault)


def _result(
    rubric: Rubric,
    settings: Settings,
    submission: Submission,
    scored: Grade,
    observations: Observations,
    fault: str,
) -> Result:
    contract = rubric.contract
    return Result(
        submission,
        rubric.id,
        rubric.title,
        rubric.digest,
        settings.seed,
        scored,
        (),
        observations,
        {"wall_s": 0.0},
        fault,
        contract=(contract.title, contract.digest) if contract else ("", ""),
    )


def _work(submission: Submission, observations: Observations) -> tuple[WorkPlace, ...]:
    """Return where the source computes; not looked for where everything could be called."""
    entered = ("forward", "backward", "torch")
    absent = any(observations[f"{part}/primes"].ended is Ended.MISSING for part in entered)
    loaded = observations.numpy.loaded.ok and observations.torch.loaded.ok
    return work_places(Program(submission)) if absent or not loaded else ()


Extra = TypeVar("Extra")


def _extra(submission: Submission, what: str, find: Callable[[], Extra], otherwise: Extra) -> Extra:
    """Return what `find` gives; where it fails, warn and return `otherwise`."""
    try:
        return find()
    except Exception as error:  # the numbers stand without it, and so does the grade
        warnings.warn(f"{submission.id}: the {what} failed: {error!r}", stacklevel=2)
        return otherwise


def _no_observations(ended: Ended, why: str) -> Observations:
    """Return the observations of a submission that never ran."""
    report = ProcessReport(Observation(ended, error=why))
    return Observations(report, report, {})
