"""How a submission's own finite-difference check works, brought back from a child.

The judge chooses the inputs and how gradients are made wrong; the child says at which points
near them the loss was taken, what the check left of its arguments, and what it said. All
numbers are compared here and in `checks.differences`. What is trusted is what is trusted of
every verification: that a child tells truly what its own code was handed and what it said. To
forge those points takes more work than to write a central difference, and earns a bonus.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.child.reports import (
    NOWHERE,
    OWN_NUMBERS,
    DifferenceForm,
    DifferenceReport,
    Place,
    Tolerance,
    TrialPlan,
)
from grader.limits import NAME_CHARACTERS
from grader.observe import trials
from grader.observe.replies import read_report
from grader.observe.trials import Examinee, read_trials, real_place, takes_differences
from grader.observe.verification_record import Verification
from grader.problem import Paper
from grader.records import TENSORS, Array, Case, Ended, Submission
from grader.source.extent import sources_of

CASES = ("small", "middle")
"""Who draws more entries at once than the small inputs have is given larger ones."""

REPLY_BYTES = 4 << 20
"""Room for the points of the larger inputs: 256 of each tensor, of 256 entries each."""

DEFINED = re.compile(r"def\s++(\w++)", re.IGNORECASE)
MENTIONED = re.compile(
    r"^(?:(?>.*?grad).*check|(?>.*?check).*grad|.*(?:numer|finite|central|fd|difference))",
    re.IGNORECASE,
)
"""The name of a function that may be one."""

FINE = tuple(10.0**-n for n in range(9, 2, -1))
"""Errors below those that must be refused, among which the largest that passes is sought."""

PHASES = (0.3, 1.1)
"""Σ sin(x + phase) is what helpers differentiate: neither slope nor curvature is near 0."""


@dataclass(frozen=True)
class DifferenceCheck:
    """All that was learned of one submission's finite-difference check.

    `kind` is "check" (of the network; also a verification or a script that takes differences),
    "helper" (it differentiates a function and compares nothing), "comparing", or "" where there
    is none. `asks_step`: the step is the caller's to give.
    `points` [n, …] are where the loss was taken near `case`, by tensor; `after` the arguments
    as they were left; `numeric` a helper's gradients and `slopes` the true ones. `number` is
    what it returns on right gradients, if numbers. `trials` tells how it took wrong ones;
    `tolerance` where its own limit lies, None where it leaves that to the reader. `place` is
    file and line of its definition.
    """

    kind: DifferenceForm = DifferenceForm.NONE
    name: str = ""
    asks_step: bool = False
    case: Case | None = None
    points: Mapping[str, Array] = field(default_factory=dict)
    after: Mapping[str, Array] = field(default_factory=dict)
    numeric: Mapping[str, Array] = field(default_factory=dict)
    slopes: Mapping[str, Array] = field(default_factory=dict)
    number: float | None = None
    tolerance: Tolerance | None = None
    trials: Verification = field(default_factory=Verification)
    place: Place = NOWHERE
    reason: str = ""


def take_difference_check(examinee: Examinee) -> DifferenceCheck:
    """Look for the submission's finite-difference check, and put it to the test in a child.

    Without anything that could be one no child is made. Whatever goes wrong gives a record
    without a kind, and a reason.
    """
    submission, paper = examinee.submission, examinee.paper
    texts = (f.data.decode("utf-8", "replace") for f in submission.files)
    hinted = any(map(is_mentioned, texts)) or takes_differences(submission)
    if "gradient_check" not in submission.names and not hinted:
        return DifferenceCheck()
    stages = {
        "first": (trials.PERCENT_OFF, trials.ENTRY, trials.TRANSPOSED),
        "more": (trials.DOUBLED, trials.averaged(paper, CASES[0]), trials.NEGATED, trials.UNMASKED),
    }
    plan = TrialPlan(stages, (*FINE, *trials.LADDER), CASES, trials.WORKING)
    phases = {f"phase_{t}": phase for t, phase in _phases(paper).items()}
    answer = examinee.ask("step_trials", plan, REPLY_BYTES, phases)
    if answer.ended is not Ended.OK:
        return DifferenceCheck(reason=answer.reason)
    return read_difference_check(answer.items, submission, paper)


def is_mentioned(text: str) -> bool:
    """Return whether a source has a function that may be one, by its name."""
    names = (name[:NAME_CHARACTERS] for name in DEFINED.findall(text))
    return any(map(MENTIONED.match, names))


def _phases(paper: Paper) -> dict[str, Array]:
    """Return phases that take the small inputs to where sine and cosine are both far from 0."""
    rng = np.random.default_rng([paper.seed, 2])
    inputs = paper.cases[CASES[0]].inputs
    return {t: rng.uniform(*PHASES, size=inputs[t].shape) - inputs[t] for t in TENSORS}


def read_difference_check(
    items: Mapping[str, Any], submission: Submission, paper: Paper
) -> DifferenceCheck:
    """Return the record in a reply; what does not fit the inputs is not there."""
    report = read_report(items, DifferenceReport)
    if report is None or not report.kind:
        reason = "no words came" if report is None else report.stopped
        return DifferenceCheck(reason=reason[: trials.MAX_REASON])
    is_helper = report.kind is not DifferenceForm.CHECK
    case = paper.cases[report.case] if report.case in CASES else None
    if report.case == OWN_NUMBERS and not is_helper:
        case = _own_case(items)
    if case is None:
        return DifferenceCheck(reason="its own numbers do not fit together")
    sources = sources_of(submission)
    reason = report.stopped[: trials.MAX_REASON]
    verification = Verification(
        accepts=report.accepts,
        equalised=report.equalised,
        equal=report.equal,
        trials=read_trials(report.trials, (case.name,), sources),
        sources=sources,
        reason=reason,
    )
    phases = _phases(paper) if is_helper else {}
    return DifferenceCheck(
        kind=report.kind,
        name=report.name[:80],
        asks_step=report.asks_step,
        case=case,
        points=_arrays(items, "points", case, rows=True),
        after=_arrays(items, "after", case),
        numeric=_arrays(items, "numeric", case),
        slopes={t: np.cos(getattr(case, t) + phase) for t, phase in phases.items()},
        number=report.number,
        tolerance=_tolerance(report.tolerance),
        trials=verification,
        place=real_place(report.place, sources),
        reason=reason,
    )


def _tolerance(tolerance: Tolerance | None) -> Tolerance | None:
    """Return where the limit lies, if it makes sense."""
    if tolerance is None or tolerance.tensor not in TENSORS:
        return None
    return tolerance if 0.0 <= tolerance.passes < tolerance.stops else None


def _own_case(items: Mapping[str, Any]) -> Case | None:
    """Return the inputs that a check makes for itself, if they are the problem's, in float64."""
    items_by_name = (items.get(f"base_{name}") for name in ("X", "y", "W1", "b1", "W2", "b2"))
    arrays = [a for a in items_by_name if isinstance(a, np.ndarray)]
    if len(arrays) != 6:
        return None
    X, y, W1, b1, W2, b2 = arrays
    fit = X.ndim == W1.ndim == W2.ndim == 2 and y.shape == X.shape[:1]
    if not fit or (X.shape[1], *b1.shape, *b2.shape) != (*W1.shape, W2.shape[1]):
        return None
    floats = (X, W1, b1, W2, b2)
    if W2.shape[0] != W1.shape[1] or any(a.dtype != np.float64 for a in floats):
        return None
    if not all(np.isfinite(a).all() for a in floats):
        return None
    return Case(OWN_NUMBERS, "what the check makes for itself", X, y, W1, b1, W2, b2)


def _arrays(
    items: Mapping[str, Any], what: str, case: Case, *, rows: bool = False
) -> dict[str, Array]:
    """Return arrays of the inputs' shapes, with `rows` any number of each; turned ones back."""
    arrays = {}
    for tensor in TENSORS:
        array, shape = items.get(f"{what}_{tensor}"), getattr(case, tensor).shape
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            continue
        size = int(np.prod(shape))
        if rows and array.ndim >= 1 and array.size == len(array) * size:
            arrays[tensor] = array.reshape(len(array), *shape)
        elif not rows and array.size == size:
            turned = array.ndim == 2 and array.shape != shape and array.shape == shape[::-1]
            arrays[tensor] = array.T if turned else array.reshape(shape)
    return arrays
