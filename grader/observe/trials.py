"""What the judge does alike for both kinds of the candidate's checks: ask, and read trials.

The judge decides how gradients are made wrong; the child says what a check made of them. That
a check accepts or refuses is the candidate's own word in any case, here as elsewhere.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from grader.child.reports import (
    MISSED,
    NOWHERE,
    Corruption,
    CorruptionKind,
    Place,
    TrialPlan,
    TrialReport,
    to_json,
)
from grader.errors import SandboxError
from grader.observe.observe import Allowance
from grader.observe.requests import loading_items
from grader.observe.spare import ask
from grader.problem import Paper
from grader.records import TENSORS, Ended, Submission
from grader.sandbox.pool import Zygote
from grader.sandbox.session import Child

SECONDS = 4.0
"""Of the child's time for one examination; it begins no trial that could outlast `WORKING`."""

WORKING = 3.0
MAX_REASON = 300

PERCENT = 0.01
"""The error that a check in float64 must refuse: rounding is 10 000 million times less."""

LADDER = (PERCENT, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 10.0, 100.0, 1e4)
"""Errors among which the largest that passes is sought."""

ENTRY_SHARE = 0.37
"""Which entry is changed, as a share of the size: neither the first nor the last."""

QUOTIENT = re.compile(
    r"/\s*+\(\s*+(?:2(?:\.0*+)?\s*+\*\s*+\w++|\w++\s*+\*\s*+2(?:\.0*+)?)\s*+\)"
    r"|/\s*+\(?+\s*+(?:(?:(?:h|step\w*+)\b|\w++(?:(?<=eps)|(?<=epsilon)|(?<=delta)))"
    r"(?!\s*+[(\[.])|\d(?:\.\d++)?e-\d)",
    re.IGNORECASE,
)
"""A division by a step: a verification or a script may take differences itself.

Without either there is nothing to look for.
"""

PERCENT_OFF = Corruption(CorruptionKind.SCALE, 1 + PERCENT)
ENTRY = Corruption(CorruptionKind.ENTRY, ENTRY_SHARE)
NEGATED = Corruption(CorruptionKind.SCALE, -1.0)
DOUBLED = Corruption(CorruptionKind.SCALE, 2.0)
TRANSPOSED = Corruption(CorruptionKind.TRANSPOSE, 0.0)
UNMASKED = Corruption(CorruptionKind.MASK, 0.0)


def averaged(paper: Paper, case: str) -> Corruption:
    """Return a second division by the batch size."""
    return Corruption(CorruptionKind.SCALE, 1.0 / paper.cases[case].sizes["B"])


class Doubt(StrEnum):
    """Why blind trials leave it open whether a verification compares."""

    NONE = ""
    UNFINISHED = "unfinished"
    REFUSES_RIGHT = "refuses right"
    THIRD = "third"
    ONE_SIDE = "one side"


@dataclass(frozen=True, slots=True)
class Trial(TrialReport):
    """One trial, as a child reports it, with a case and a line that there are."""

    @property
    def error(self) -> float:
        """Return the relative error of a scaled gradient; nan for other kinds."""
        scaled = self.kind is CorruptionKind.SCALE
        return round(abs(self.amount - 1.0), 12) if scaled else math.nan

    @property
    def words(self) -> str:
        """Return what was done, to go after `dW1`."""
        if self.kind is CorruptionKind.SCALE:
            return "of the wrong sign" if self.amount == -1.0 else f"times {self.amount:.4g}"
        return {
            CorruptionKind.ENTRY: "with one entry changed",
            CorruptionKind.TRANSPOSE: "transposed",
            CorruptionKind.MASK: "without the ReLU's mask",
        }[self.kind]

    @property
    def gross(self) -> bool:
        """Return whether this is more than a small error in the scale."""
        return self.kind is not CorruptionKind.SCALE or not 1.0 < self.amount < 2.0

    @property
    def missed(self) -> bool:
        """Return whether nothing was noticed."""
        return self.outcome in MISSED


@dataclass(frozen=True)
class TrialAnswer:
    """What a child answered: `items`, or how it `ended` and a `reason`."""

    items: Mapping[str, Any]
    ended: Ended = Ended.OK
    reason: str = ""


@dataclass(frozen=True)
class Examinee:
    """Whose checks are examined, on which paper, where, and with what allowance."""

    submission: Submission
    paper: Paper
    zygote: Zygote
    allowance: Allowance
    child: Child | None = None

    def ask(
        self, kind: str, plan: TrialPlan, reply_bytes: int, arrays: Mapping[str, Any] | None = None
    ) -> TrialAnswer:
        """Return the answer to one kind of trials on the plan's cases."""
        items = loading_items(self.submission, "torch", self.paper.noise) | dict(arrays or {})
        for index, case in enumerate(plan.cases):
            inputs = self.paper.cases[case].inputs
            items |= {f"{name}{index}": array for name, array in inputs.items()}
        items |= {"plan": to_json(plan), "max_bytes": str(reply_bytes)}
        seconds = min(SECONDS, self.allowance.seconds)
        try:
            request = (kind, items, reply_bytes)
            reply = ask(self.child, self.zygote, self.allowance.limits, request, seconds)
        except SandboxError as error:
            return TrialAnswer({}, Ended.HARNESS, str(error)[:MAX_REASON])
        if reply.ended is not Ended.OK:
            why = reply.items.get("error") or reply.detail
            return TrialAnswer({}, reply.ended, f"{reply.ended}: {why}"[:MAX_REASON])
        return TrialAnswer(reply.items)


def takes_differences(submission: Submission) -> bool:
    """Return whether a file divides by what looks like a step."""
    texts = (file.data.decode("utf-8", "replace") for file in submission.files)
    return any(map(QUOTIENT.search, texts))


def real_place(place: Place, sources: Mapping[str, Sequence[str]]) -> Place:
    """Return a place, if the submission has such a line."""
    file, line = place
    return place if 0 < line <= len(sources.get(file, ())) else NOWHERE


def read_trials(
    reports: Iterable[TrialReport], cases: Sequence[str], sources: Mapping[str, Sequence[str]]
) -> tuple[Trial, ...]:
    """Return the trials of known cases and tensors; what makes no sense is passed over."""
    trials = []
    for report in reports:
        fits = report.case in cases and report.tensor in TENSORS and math.isfinite(report.amount)
        if fits and (report.by is not None) == (report.outcome == "refused"):
            file, line = real_place((report.file, report.line), sources)
            values = dataclasses.asdict(report) | {"file": file, "line": line}
            trials.append(Trial(**values))
    return tuple(trials)
