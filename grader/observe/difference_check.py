"""How a submission's own finite-difference check works, brought back from a child.

The judge chooses the inputs and how gradients are spoiled; the child says at which points near
them the loss was taken, what the check left of its arguments, and what it said. All numbers
are compared here and in `checks.differences`. What is trusted is what is trusted of every
verification: that a child tells truly what its own code was handed and what it said. To
forge those points takes more work than to write a central difference, and earns a bonus.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from grader.errors import SandboxError
from grader.observe.kept import ask
from grader.observe.observe import Allowance
from grader.observe.sent import sent
from grader.observe.verification import (
    ENTRY,
    LADDER,
    MAX_REASON,
    OWN,
    PERCENT,
    Kind,
    Verification,
    read_verification,
)
from grader.problem import Paper
from grader.records import TENSORS, Array, Case, Ended, Submission
from grader.sandbox.pool import Zygote
from grader.sandbox.session import Child

CASES = ("small", "middle")
"""Who draws more entries at once than the small inputs have is given larger ones."""

SECONDS = 4.0
WORKING = 3.0
REPLY_BYTES = 4 << 20
"""Room for the points of the larger inputs: 256 of each tensor, of 256 entries each."""

MENTIONED = re.compile(
    r"def\s+\w*(?:grad\w*check|check\w*grad|numer|finite|central|fd|difference)", re.IGNORECASE
)
"""A function that may be one, by its name."""

QUOTIENT = re.compile(
    r"/\s*\(\s*(?:2(?:\.0*)?\s*\*\s*\w+|\w+\s*\*\s*2(?:\.0*)?)\s*\)"
    r"|/\s*\(?\s*(?:(?:\w*eps(?:ilon)?|h|\w*delta|step\w*)\b(?!\s*[(\[.])|\d(?:\.\d+)?e-\d)",
    re.IGNORECASE,
)
"""A division by a step: a verification or a script may take differences itself.

Without either there is nothing to look for.
"""

FINE = tuple(10.0**-n for n in range(9, 2, -1))
"""Errors below those that must be refused, among which the largest that passes is sought."""

PHASES = (0.3, 1.1)
"""Σ sin(x + phase) is what helpers differentiate: neither slope nor curvature is near 0."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far one gradient may be off: the relative error `passes` (0: none tried), `stops` not.

    The next error on the ladder lies between them only; inf where nothing is refused.
    """

    tensor: str
    passes: float
    stops: float


@dataclass(frozen=True)
class DifferenceCheck:
    """All that was learned of one submission's finite-difference check.

    `kind` is "check" (of the network; also a verification or a script that takes differences),
    "helper" (it differentiates a function and compares nothing), "comparing", or "" where there
    is none. `asks_step`: the step is the caller's to give.
    `points` [n, …] are where the loss was taken near `case`, by tensor; `after` the arguments
    as they were left; `numeric` a helper's gradients and `slopes` the true ones. `number` is
    what it returns on right gradients, if numbers. `trials` tells how it took spoiled ones;
    `tolerance` where its own limit lies, None where it leaves that to the reader.
    """

    kind: str = ""
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
    reason: str = ""

    @property
    def place(self) -> tuple[str, int]:
        """File and line of its definition; "" and 0 where they are not known."""
        return self.trials.place("check")


def take_difference_check(
    submission: Submission,
    paper: Paper,
    zygote: Zygote,
    allowance: Allowance,
    child: Child | None = None,
) -> DifferenceCheck:
    """Look for the submission's finite-difference check, and put it to the test in a child.

    Without anything that could be one no child is made. Whatever goes wrong gives a record
    without a kind, and a reason.
    """
    texts = [f.data.decode("utf-8", "replace") for f in submission.files]
    hints = (pattern.search(text) for text in texts for pattern in (MENTIONED, QUOTIENT))
    if "gradient_check" not in submission.names and not any(hints):
        return DifferenceCheck()
    request = _request(submission, paper)
    try:
        asked = ("step_trials", request, REPLY_BYTES)
        seconds = min(SECONDS, allowance.seconds)
        reply = ask(child, zygote, allowance.limits, asked, seconds)
    except SandboxError as error:
        return DifferenceCheck(reason=str(error)[:MAX_REASON])
    if reply.ended is not Ended.OK:
        why = reply.items.get("error") or reply.detail
        return DifferenceCheck(reason=f"{reply.ended}: {why}"[:MAX_REASON])
    return read_difference_check(reply.items, submission, paper)


def _request(submission: Submission, paper: Paper) -> dict[str, Any]:
    items = sent(submission, "torch", paper.noise)
    for index, case in enumerate(CASES):
        items |= {f"{name}{index}": array for name, array in paper.cases[case].inputs.items()}
    items |= {f"phase_{t}": phase for t, phase in _phases(paper).items()}
    batch = paper.cases[CASES[0]].sizes["B"]
    first = ((Kind.SCALE, 1 + PERCENT), (Kind.ENTRY, ENTRY), (Kind.TRANSPOSE, 0))
    more = ((Kind.SCALE, 2.0), (Kind.SCALE, 1.0 / batch), (Kind.SCALE, -1.0), (Kind.MASK, 0))
    items["plan"] = "\n".join(f"{kind} {amount}" for kind, amount in first)
    items["more"] = "\n".join(f"{kind} {amount}" for kind, amount in more)
    items["ladder"] = " ".join(map(str, (*FINE, *LADDER)))
    return items | {"seconds": str(WORKING), "max_bytes": str(REPLY_BYTES)}


def _phases(paper: Paper) -> dict[str, Array]:
    """Phases that take the small inputs to where sine and cosine are both far from 0."""
    rng = np.random.default_rng([paper.seed, 2])
    inputs = paper.cases[CASES[0]].inputs
    return {t: rng.uniform(*PHASES, size=inputs[t].shape) - inputs[t] for t in TENSORS}


# ── reading what the child said ──────────────────────────────────────────────


def read_difference_check(
    items: Mapping[str, Any], submission: Submission, paper: Paper
) -> DifferenceCheck:
    """The record in a reply; what does not fit the inputs is not there."""
    trials = read_verification(items, submission)
    rows = items.get("rows", "")
    lines = [line.split("\t") for line in rows.split("\n")] if isinstance(rows, str) else []
    said = next((r[1:] for r in lines if r[0] == "check" and len(r) == 5), None)
    if said is None or said[0] not in ("check", "helper", "comparing"):
        return DifferenceCheck(reason=trials.reason)
    own = said[3] == str(len(CASES))
    case = _own_case(items) if own else paper.cases[CASES[said[3] == "1"]]
    if case is None:
        return DifferenceCheck(reason="its own numbers do not fit together")
    numbers = [r[1] for r in lines if r[0] == "number" and len(r) == 2]
    helper = said[0] != "check"
    return DifferenceCheck(
        kind=said[0],
        name=said[1][:80],
        asks_step=said[2] == "1",
        case=case,
        points=_arrays(items, "points", case, rows=True),
        after=_arrays(items, "after", case),
        numeric=_arrays(items, "numeric", case),
        slopes={t: np.cos(getattr(case, t) + p) for t, p in _phases(paper).items()}
        if helper
        else {},
        number=_float(numbers[0]) if numbers else None,
        tolerance=_tolerance(lines),
        trials=replace(trials, trials=tuple(replace(t, case=case.name) for t in trials.trials)),
        reason=trials.reason,
    )


def _tolerance(lines: Sequence[Sequence[str]]) -> Tolerance | None:
    """The first row that says where the limit lies, if it makes sense."""
    for row in lines:
        if row[0] == "tolerance" and len(row) == 4 and row[1] in TENSORS:
            passes, stops = _float(row[2]), _float(row[3])
            return Tolerance(row[1], passes, stops) if 0.0 <= passes < stops else None
    return None


def _own_case(items: Mapping[str, Any]) -> Case | None:
    """The inputs that a check makes for itself, if they are those of the problem in float64."""
    given = [items.get(f"base_{name}") for name in ("X", "y", "W1", "b1", "W2", "b2")]
    arrays = [a for a in given if isinstance(a, np.ndarray)]
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
    return Case(OWN, "what the check makes for itself", X, y, W1, b1, W2, b2)


def _arrays(
    items: Mapping[str, Any], what: str, case: Case, *, rows: bool = False
) -> dict[str, Array]:
    """Arrays of the shapes of the inputs, with `rows` any number of each; turned ones back."""
    found = {}
    for tensor in TENSORS:
        array, shape = items.get(f"{what}_{tensor}"), getattr(case, tensor).shape
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            continue
        size = int(np.prod(shape))
        if rows and array.ndim >= 1 and array.size == len(array) * size:
            found[tensor] = array.reshape(len(array), *shape)
        elif not rows and array.size == size:
            turned = array.ndim == 2 and array.shape != shape and array.shape == shape[::-1]
            found[tensor] = array.T if turned else array.reshape(shape)
    return found


def _float(text: str) -> float:
    try:
        return float(text[:40])
    except ValueError:
        return float("nan")
