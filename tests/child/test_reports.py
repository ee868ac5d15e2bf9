"""Reports are written as JSON, and the judge's plan is read from it."""

from __future__ import annotations

import json

from grader.child.reports import (
    Corruption,
    CorruptionKind,
    Refusal,
    TrialOutcome,
    TrialPlan,
    TrialReport,
    VerificationReport,
    to_json,
)


def test_a_plan_arrives_as_it_was_sent() -> None:
    stages = {"first": (Corruption(CorruptionKind.ENTRY, 0.37),), "more": ()}
    plan = TrialPlan(stages, (0.01, 1.0), ("primes",), 3.0, thorough=True)
    assert TrialPlan.from_json(to_json(plan)) == plan


def test_a_report_is_plain_json() -> None:
    trial = TrialReport(outcome=TrialOutcome.REFUSED, by=Refusal.RAISE, tensor="W1")
    report = json.loads(to_json(VerificationReport(trials=(trial,))))
    assert report["trials"][0]["outcome"] == "refused"
    assert report["trials"][0]["by"] == "raise"
    assert report["verdict"] == ["", 0]
