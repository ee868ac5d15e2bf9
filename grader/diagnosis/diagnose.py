"""All that is known about one submission → its defects, and which checks fail through them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from grader.checks import View
from grader.checks.tensors import FOUND_BY, OWN_LOSS, WHOLE_GRAPH
from grader.defects import KINDS
from grader.defects.clues import Clues
from grader.defects.explanation import Account
from grader.defects.make import at, kind_of, make
from grader.defects.signs.calls import process_defects
from grader.diagnosis.consequences import without_consequences
from grader.diagnosis.layers import layer_defects
from grader.diagnosis.numeric import defects_of, explain_numpy, explain_torch
from grader.diagnosis.place import at_first_wrong, located, placed
from grader.diagnosis.predictions import Predictions
from grader.diagnosis.through import through_defects
from grader.observe.trace import Trace
from grader.records import (
    TENSORS,
    CheckStatus,
    Confidence,
    Defect,
    Ended,
    Finding,
    Submission,
)

COMPARED = ("forward/primes/again", "backward/primes/again", "backward/first", "backward/second")
"""Calls that are compared with one another."""


@dataclass(frozen=True)
class Diagnosis:
    """The defects, and for checks that did not pass, the codes that explain why.

    `accounts` are the NumPy and the PyTorch part as the fault table explains them.
    """

    defects: tuple[Defect, ...]
    explained: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    accounts: tuple[Account | None, Account | None] = (None, None)


Tracer = Callable[[], Trace]
"""Gives the trace of the PyTorch part; asked only where a line in it is wanted."""


def diagnose(
    submission: Submission,
    view: View,
    findings: Sequence[Finding],
    predictions: Predictions,
    torch_trace: Tracer,
) -> Diagnosis:
    """Return defects with code, tensors and confidence; lines come from trace or traceback."""
    by_id = {f.check: f for f in findings}
    accounts = explain_numpy(view, predictions), explain_torch(view, predictions)
    clues = Clues(submission, view, by_id, accounts, torch_trace)
    numeric = [d for a in accounts if a is not None for d in _numeric(a, clues, predictions)]
    behaviour = list(_behaviour(clues))
    found = [
        *call_defects(submission, view, findings),
        *(located(defect, clues) for defect in (*numeric, *behaviour)),
    ]
    defects = without_consequences(found, late=_late(view))
    explained = _explained(view, findings, accounts, defects)
    for defect, checks in layer_defects(clues, defects):
        defects.append(defect)
        lost = [c for c in checks if by_id[c].status is CheckStatus.FAIL]
        if defect.confidence is Confidence.PROVEN:
            explained |= {c: (*explained.get(c, ()), defect.code) for c in lost}
    return Diagnosis(tuple(defects), explained, accounts)


def _numeric(account: Account, clues: Clues, predictions: Predictions) -> list[Defect]:
    """One part's defects with their lines, as far as its trace shows them."""
    wrong = defects_of(account, clues, predictions, _following(clues, account))
    asked = not account.torch or any(found_by for _, found_by in wrong)
    trace = clues.trace(torch=account.torch) if asked else Trace()
    defects = [placed(defect, found_by, trace, clues.program) for defect, found_by in wrong]
    return at_first_wrong(defects, clues, torch=account.torch) if trace.values else defects


def _following(clues: Clues, account: Account) -> list[str]:
    """The tensors whose gradient is that of the loss that the part itself gives.

    By hand, finite differences of that loss tell; by autograd it is so in a whole graph.
    """
    if account.torch:
        whole = all(clues.findings[check].status is CheckStatus.PASS for check in WHOLE_GRAPH)
        return list(TENSORS) if whole else []
    lines = clues.findings[OWN_LOSS].evidence
    return [t for t in TENSORS if any(line.good and line.tensor == t for line in lines)]


def _behaviour(clues: Clues) -> Iterator[Defect]:
    """What shows otherwise than by a wrong formula, kind by kind."""
    for kind in KINDS:
        for sight in (s for sign in kind.signs for s in sign.sights(clues)):
            defect = make(kind.code, sight.message, sight.tensors, sight.confidence, sight.part)
            yield at(defect, sight.spot, clues.program.lines)


def call_defects(
    submission: Submission, view: View, findings: Sequence[Finding]
) -> tuple[Defect, ...]:
    """Return the defects that show in how calls ended, but for those that checks speak against.

    A function is not missing where there is code that a person has to look at.
    """
    statuses = {f.check: f.status for f in findings}
    defects = process_defects(submission, view.observations)
    return tuple(d for d in defects if not (_is_refuted(d, statuses) or _is_left(d, statuses)))


def _is_refuted(defect: Defect, statuses: Mapping[str, CheckStatus]) -> bool:
    check = kind_of(defect).refuted_by
    return bool(check) and statuses[check] is CheckStatus.PASS


def _is_left(defect: Defect, statuses: Mapping[str, CheckStatus]) -> bool:
    """Whether a function was not found, and that is left to a person."""
    kind = kind_of(defect)
    absent = FOUND_BY.get(defect.part, "") if kind.ending is Ended.MISSING else kind.refuted_by
    return statuses.get(absent) is CheckStatus.MANUAL


def _late(view: View) -> bool:
    """Whether the time was up before the calls that are compared with one another."""
    ends = {view.observations[step].ended for step in COMPARED}
    return Ended.TIMEOUT in ends or Ended.NOT_RUN in ends


# ── which checks fail through them ───────────────────────────────────────────


def _explained(
    view: View,
    findings: Sequence[Finding],
    accounts: Sequence[Account | None],
    defects: Sequence[Defect],
) -> dict[str, tuple[str, ...]]:
    """Check → codes, for checks that fail just so where only those bugs are there."""
    lost = {f.check: f for f in findings if f.status in (CheckStatus.FAIL, CheckStatus.SKIPPED)}
    proven = [d for d in defects if d.confidence is Confidence.PROVEN]
    explained = through_defects(view, accounts, defects, lost)
    for check in lost:
        explained.setdefault(check, []).extend(_not_loaded(view, check, proven))
    known = {d.code for d in proven}
    return {
        check: tuple(dict.fromkeys(c for c in codes if c in known))
        for check, codes in sorted(explained.items())
        if any(c in known for c in codes)
    }


def _not_loaded(view: View, check: str, proven: Sequence[Defect]) -> list[str]:
    """What kept `check` waiting where the file it looks at could not be imported at all."""
    sides, part = (view.observations.numpy, view.observations.torch), check.partition(".")[0]
    needed = {"forward": sides[:1], "backward": sides[:1], "pytorch": sides[1:]}.get(part, sides)
    if all(side.loaded.ok for side in needed):
        return []
    return [d.code for d in proven if kind_of(d).stops_import]
