"""How a submission's own verification takes wrong gradients, brought back from a child."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from grader.child.reports import (
    OWN_NUMBERS,
    BlindReport,
    CheckForm,
    GradientSide,
    HarnessReport,
    TrialOutcome,
    TrialPlan,
    VerificationReport,
)
from grader.observe import blind, trials
from grader.observe.replies import read_report
from grader.observe.trials import Examinee, read_trials, real_place, takes_differences
from grader.observe.verification_record import Verification
from grader.problem.cases import fresh_case
from grader.records import TENSORS, Ended, Submission
from grader.source.extent import sources_of
from grader.source.program import Program
from grader.source.reaching import reaching

CASES = ("primes", "square")
"""All trials are made on `primes`; a transposed gradient keeps its shape on `square` only."""

TEXT_BYTES = 256 * 1024
HARNESS_SECONDS = 1.0
PLACES = ("verdict", "refusal", "divergence")
BROKEN_OFF = (Ended.CRASH, Ended.VIOLATION)
"""Ends that a verification brings about itself; a slow machine causes other ones."""


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
    reaches = reaches_in(examinee.submission)
    answer = examinee.ask("verify_trials", plan, TEXT_BYTES)
    if answer.ended is not Ended.OK:
        broke_off = answer.ended in BROKEN_OFF
        return Verification(reason=answer.reason, broke_off=broke_off, reaches=reaches)
    record = read_verification(answer.items, examinee.submission)
    record = put_to_the_test(record, examinee, blind.generator())
    return replace(record, changed=changed_harness(examinee), reaches=reaches)


def reaches_in(submission: Submission) -> bool:
    """Return whether the source names what examines it."""
    return any(any(reaching(tree)) for tree in Program(submission).trees.values())


def changed_harness(examinee: Examinee) -> tuple[str, ...]:
    """Return what of our own code a child says was changed since it was forked.

    Hearsay against itself alone: who changed it may hide that as well.
    """
    child = examinee.child
    if child is None or not child.alive:
        return ()
    child.extend(HARNESS_SECONDS)
    reply = child.request("harness", {"max_bytes": str(TEXT_BYTES)}, TEXT_BYTES)
    report = read_report(reply.items, HarnessReport) if reply.ended is Ended.OK else None
    return () if report is None else report.changed


def put_to_the_test(
    record: Verification, examinee: Examinee, rng: np.random.Generator
) -> Verification:
    """Return the record with what blind trials bear out; see `observe.blind`."""
    claims = [t for t in record.trials if t.outcome is TrialOutcome.REFUSED]
    if not claims:
        return record
    if not record.autograd:
        return replace(
            record, trials=tuple(blind.let_through(t, GradientSide.AUTO) for t in record.trials)
        )
    asked = blind.plan(claims, rng, given=record.given)
    first = fresh_case(rng, "blind", blind.SIZES)
    plan = TrialPlan({}, (), CASES[:1], trials.WORKING)
    fresh = replace(examinee, child=None)
    answer = fresh.ask(
        "blind_trials",
        plan,
        TEXT_BYTES,
        blind.items_of(asked, first, given=record.given, apart=record.equalised),
    )
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
    sources = sources_of(submission)
    if report is None:
        return Verification(sources=sources, reason="no words came")
    places = {name: real_place(getattr(report, name), sources) for name in PLACES}
    different = tuple(t for t in TENSORS if t in report.different)
    cleaned = vars(report) | places | {"different": different}
    cleaned["trials"] = read_trials(report.trials, (*CASES, OWN_NUMBERS), sources)
    return Verification(**cleaned, sources=sources, reason=report.stopped[: trials.MAX_REASON])
