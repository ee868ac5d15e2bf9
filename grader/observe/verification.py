"""How a submission's own verification takes wrong gradients, brought back from a child."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from grader.child.reports import (
    OWN_NUMBERS,
    BlindReport,
    CheckForm,
    CorruptionKind,
    Side,
    TrialOutcome,
    TrialPlan,
    VerificationReport,
)
from grader.observe import blind, trials
from grader.observe.blind import Doubt
from grader.observe.replies import read_report
from grader.observe.trials import Examinee, Trial, read_trials, real_place, takes_differences
from grader.problem.cases import fresh_case
from grader.records import TENSORS, Ended, Submission
from grader.source.parsing import source_lines

CASES = ("primes", "square")
"""All trials are made on `primes`; a transposed gradient keeps its shape on `square` only."""

TEXT_BYTES = 256 * 1024
PLACES = ("verdict", "refusal", "divergence")
BROKEN_OFF = (Ended.CRASH, Ended.VIOLATION)
"""Ends that a verification brings about itself; a slow machine causes other ones."""


@dataclass(frozen=True)
class Verification(VerificationReport):
    """All that was learned of one submission's verification.

    `trials` are as blind trials bear them out, `doubt` where those leave it open.
    `sources` are the lines by file. `reason` says why there are no trials, "" otherwise;
    `broke_off` whether it ended the process when it was put to the test.
    """

    trials: tuple[Trial, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason: str = "not tried"
    broke_off: bool = False
    doubt: Doubt = Doubt.NONE

    def of(self, tensor: str) -> list[Trial]:
        """Return the trials of one tensor that say something."""
        trials = (t for t in self.trials if t.tensor == tensor)
        return [t for t in trials if t.outcome is not TrialOutcome.NOT_APPLICABLE]

    @property
    def tested(self) -> bool:
        """Return whether any wrong gradient was shown to it, or none could make a difference."""
        return self.idle or any(self.of(tensor) for tensor in TENSORS)

    @property
    def idle(self) -> bool:
        """Return whether it says yes without computing anything."""
        return self.form is CheckForm.FUNCTION and self.accepts is True and not self.sides

    @property
    def by_script(self) -> bool:
        """Return whether the file's statements compare: some wrong gradient made them object."""
        refused = any(t.outcome is TrialOutcome.REFUSED for t in self.trials)
        return self.form is CheckForm.SCRIPT and (refused or self.accepts is False)

    @property
    def overlooked(self) -> tuple[str, ...]:
        """Return the tensors of which it refused no error at all, however gross."""
        if self.idle:
            return TENSORS
        tried = {t: self.of(t) for t in TENSORS}
        return tuple(t for t, trials in tried.items() if trials and all(s.missed for s in trials))

    def loosest(self, tensor: str) -> float:
        """Return the largest relative error that passed, below the least that did not; or 0."""
        scaled = [t for t in self.of(tensor) if t.kind is CorruptionKind.SCALE and t.amount > 1.0]
        refused = min((t.error for t in scaled if not t.missed), default=math.inf)
        return max((t.error for t in scaled if t.missed and t.error < refused), default=0.0)


def take_verification(examinee: Examinee, *, thorough: bool = False) -> Verification:
    """Show the submission's verification wrong gradients.

    The strictest first, the gross ones only for tensors where those were missed; all of them
    if `thorough`. Whatever goes wrong gives a record without trials, and a reason.
    """
    stages = {
        "first": (trials.PERCENT_OFF, trials.ENTRY, trials.NEGATED),
        "transposed": (trials.TRANSPOSED,),
        "more": (trials.DOUBLED, trials.averaged(examinee.paper, CASES[0]), trials.UNMASKED),
    }
    plan = TrialPlan(stages, trials.LADDER, CASES, trials.WORKING, thorough)
    answer = examinee.ask("verify_trials", plan, TEXT_BYTES)
    if answer.ended is not Ended.OK:
        return Verification(reason=answer.reason, broke_off=answer.ended in BROKEN_OFF)
    record = read_verification(answer.items, examinee.submission)
    return put_to_the_test(record, examinee, blind.generator())


def put_to_the_test(
    record: Verification, examinee: Examinee, rng: np.random.Generator
) -> Verification:
    """Return the record with what blind trials bear out; see `observe.blind`."""
    claims = [t for t in record.trials if t.outcome is TrialOutcome.REFUSED]
    if not claims:
        return record
    if not record.autograd:
        return replace(record, trials=tuple(blind.let_through(t, Side.AUTO) for t in record.trials))
    asked = blind.plan(claims, rng, given=record.given)
    first = fresh_case(rng, "blind", blind.SIZES) if record.given else None
    plan = TrialPlan({}, (), CASES[:1], trials.WORKING)
    fresh = replace(examinee, child=None)
    answer = fresh.ask("blind_trials", plan, TEXT_BYTES, blind.items_of(asked, first))
    if answer.ended in BROKEN_OFF:
        return Verification(reason=answer.reason, broke_off=True)
    report = read_report(answer.items, BlindReport) if answer.ended is Ended.OK else None
    counted = blind.count(
        record.trials,
        asked,
        () if report is None else report.sayings,
        by_script=record.form is CheckForm.SCRIPT,
        differences=takes_differences(examinee.submission),
    )
    return replace(record, trials=counted.trials, doubt=counted.doubt)


def read_verification(items: Mapping[str, object], submission: Submission) -> Verification:
    """Return the record in a reply; a reply without a report gives one without trials."""
    report = read_report(items, VerificationReport)
    sources = {f.path: source_lines(f.data) for f in submission.files}
    if report is None:
        return Verification(sources=sources, reason="no words came")
    places = {name: real_place(getattr(report, name), sources) for name in PLACES}
    different = tuple(t for t in TENSORS if t in report.different)
    cleaned = vars(report) | places | {"different": different}
    cleaned["trials"] = read_trials(report.trials, (*CASES, OWN_NUMBERS), sources)
    return Verification(**cleaned, sources=sources, reason=report.stopped[: trials.MAX_REASON])
