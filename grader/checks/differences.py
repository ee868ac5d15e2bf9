"""Checks of the candidate's own finite-difference check, which nobody has to write.

Absent it costs nothing: what rests on these checks is a bonus. At which points the loss was
taken, and what the check said, comes from the child; which steps are sensible, and which
gradients were wrong, is the judge's own. See `observe.difference_check` for what is trusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from grader.checks.check import Conclusion, check, failed, judge, left_open, line, waits
from grader.checks.trials import trial_line, trials_outcome
from grader.checks.view import View, number
from grader.child.reports import CorruptionKind, DifferenceForm, Tolerance
from grader.observe.difference_check import DifferenceCheck
from grader.observe.trials import PERCENT
from grader.problem.compare import FINITE_DIFFERENCE, STEP, central_error, error
from grader.records import TENSORS, Array, CheckStatus, Evidence

ROUGH = 8.0
"""Times the best error of a dtype: no better is asked of float32 than it can give."""

RESIDUE = 8.0
"""Times eps: what stepping there and back may leave."""

ALIKE = 1e-3
"""Relative: two steps that differ by less are of one size, but for rounding."""

OPTIONAL = "Open: nothing checks by finite differences. They are a bonus, and cost nothing."


# ── what the points say ──────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Stepping:
    """How the loss was probed along one tensor.

    `central` where each step has its opposite; `step` is the middle one by size, `eps` that
    of the dtype in which it was taken; `share` the part of the entries that were stepped.
    `lingers` where steps were not taken back.
    """

    tensor: str
    central: bool
    step: float
    eps: float
    share: float
    lingers: bool

    @property
    def error(self) -> float:
        """Return what a central difference with this step is off by, for a loss of order one."""
        return central_error(self.step, self.eps)

    @property
    def limit(self) -> float:
        """Return the largest error of a sensible step: 1e-6, or near the best that eps allows."""
        return max(FINITE_DIFFERENCE, ROUGH * float(self.eps ** (2.0 / 3.0)))

    @property
    def too_large(self) -> bool:
        return not self.error <= self.limit and self.step > self.eps ** (1.0 / 3.0)

    @property
    def too_small(self) -> bool:
        return not self.error <= self.limit and not self.too_large


def steppings(record: DifferenceCheck) -> list[Stepping]:
    """Return how each tensor was stepped; those that were not are left out."""
    assert record.case is not None
    tried = [t for t in TENSORS if t in record.points]
    found = (_stepping(t, record.points[t], record.case.inputs[t]) for t in tried)
    return [stepping for stepping in found if stepping is not None]


def stepped(view: View) -> list[Stepping]:
    """Return how the candidate's own check stepped, found once for all checks."""
    return view.once("steppings", lambda: steppings(view.differences))


def _stepping(tensor: str, points: Array, base: Array) -> Stepping | None:
    eps = float(np.finfo(points.dtype).eps)
    start = base.astype(points.dtype).reshape(-1).astype(np.float64)
    moves = points.reshape(len(points), base.size).astype(np.float64) - start
    moves[np.abs(moves) <= RESIDUE / 2 * eps * np.maximum(1.0, np.abs(start))] = 0.0
    moves = moves[np.isfinite(moves).all(axis=1) & moves.any(axis=1)]
    if not len(moves):
        return None
    counts = (moves != 0).sum(axis=1)
    single = counts[0] == 1 and base.size > 1
    central = _entries_mirrored(moves, eps) if single else _mirrored(moves, eps) > 0.5
    sizes = np.abs(moves).max(axis=1) if single else np.sqrt((moves**2).sum(axis=1))
    share = float(moves.any(axis=0).mean())
    lingers = bool(single and counts.max() > 1)
    return Stepping(tensor, central, float(np.median(sizes)), eps, share, lingers)


def _entries_mirrored(moves: Array, eps: float) -> bool:
    """Whether most of the entries that were stepped were stepped both ways alike."""
    stepped = [np.unique(column[column != 0]) for column in moves.T if column.any()]
    return 2 * sum(_mirrored(each[:, None], eps) > 0.5 for each in stepped) > len(stepped)


def _mirrored(moves: Array, eps: float) -> float:
    """The share of the moves [n, entries] whose opposite is among them."""
    with np.errstate(all="ignore"):
        sums = np.abs(moves[:, None, :] + moves[None, :, :]).max(axis=2)
        room = ALIKE * np.abs(moves).max(axis=1) + RESIDUE * eps
    return float((sums <= room[:, None]).any(axis=1).mean())


# ── the checks ───────────────────────────────────────────────────────────────


@check(
    "verification.fd_accurate",
    "The finite differences are as accurate as they can be",
    hint="Take (f(x + h) - f(x - h)) / (2h), in float64, with h near 6e-6 (eps ** (1/3)).",
    serves="All parts: ideally finite differences too. Follow-up 5: tolerance and step.",
)
def fd_accurate(view: View) -> Conclusion:
    """If there is a finite-difference check: it steps both ways, by a step that fits the dtype.

    Sensible is a step whose error, h²/6 + eps/h for a loss of order one, is at most 1e-6: in
    float64 from 1e-9 to 2e-3. A right gradient is accepted.
    """
    record = view.differences
    if (outcome := _undecided(record)) is not None:
        return outcome
    found = stepped(view)
    if not found:
        still = Evidence(record.name, f"steps of about {number(STEP)}", "none")
        return failed(f"{record.name} never steps an input.", still)
    lines = [each for stepping in found for each in _accuracy(stepping, record)]
    lines += _accepted(record)
    return judge(lines, f"{record.name} takes central differences with a sensible step.")


def _accuracy(stepping: Stepping, record: DifferenceCheck) -> Iterator[Evidence]:
    what = f"steps of {stepping.tensor}"
    where = record.case.name if record.case else ""
    yield line(what, stepping.central, "to both sides", "to one side", where)
    if record.asks_step:
        return
    status = CheckStatus.of(stepping.error <= stepping.limit)
    best = f"{stepping.eps ** (1.0 / 3.0):.1g}"
    step = f"{stepping.step:.2g}, good for an error of {stepping.error:.1g}"
    yield Evidence(f"the step of {stepping.tensor}", f"about {best}", step, where, verdict=status)
    numeric, slope = record.numeric.get(stepping.tensor), record.slopes.get(stepping.tensor)
    if numeric is not None and slope is not None:
        off = error(numeric, slope)
        status = CheckStatus.of(off <= stepping.limit)
        size = f"off by {off:.1g} of its size"
        limit = f"within {stepping.limit:.1g}"
        yield Evidence(f"its slope by {stepping.tensor}", limit, size, where, verdict=status)


def _accepted(record: DifferenceCheck) -> Iterator[Evidence]:
    """Whether right gradients are accepted; and the number that it gives for them, if any."""
    if record.kind is not DifferenceForm.HELPER and record.trials.equal:
        right = record.trials.accepts is not False
        yield line("right gradients", right, "accepted", "refused")
    if record.number is not None:
        words = number(record.number)
        yield Evidence("what it returns on them", "", words, verdict=CheckStatus.PASS)


@check(
    "verification.fd_catches",
    "The finite-difference check refuses wrong gradients",
    hint="Compare every one of the five, relative to its size, with a limit near 1e-6.",
    serves="All parts: ideally finite differences too.",
)
def fd_catches(view: View) -> Conclusion:
    """If there is a finite-difference check: each of the five gradients made wrong is refused.

    1 % off, an entry changed or transposed; where that passes, twice, 1/B and −1 times the
    right one and without the mask. Where entries are drawn, a drawn one is changed. The
    gradients are made to agree with the candidate's own loss first. Where its tolerance lies
    is shown.
    """
    record = view.differences
    if (outcome := _undecided(record)) is not None:
        return outcome
    trials = record.trials
    if record.kind is DifferenceForm.HELPER:
        return left_open(
            f"Open: {record.name} gives the differences; what compares them was not found."
        )
    if trials.accepts is False:
        return waits("It refuses right gradients, so its refusals say nothing.", fd_accurate.id)
    drawn = {s.tensor for s in stepped(view) if s.share < 1.0}
    lines = [
        trial_line(trial)
        for tensor in TENSORS
        for trial in trials.of(tensor)
        if not (tensor in drawn and trial.kind in (CorruptionKind.TRANSPOSE, CorruptionKind.MASK))
    ]
    if not lines:
        why = record.reason or "nothing in a run of it answers to a wrong gradient"
        return left_open(f"Open: it could not be put to the test: {why}.")
    shown = [_limit(record.tolerance)] if record.tolerance else []
    good = f"{record.name} refuses each of the five when it is wrong."
    return trials_outcome(record.name, lines, good, shown=shown)


def _limit(tolerance: Tolerance) -> Evidence:
    """Where its tolerance lies, from one gradient that was put off by less and less."""
    passes, stops = (f"{error:.1g}" for error in (tolerance.passes, tolerance.stops))
    words = f"{passes} passes, {stops} does not" if tolerance.passes else f"{stops} does not pass"
    words = words if np.isfinite(tolerance.stops) else f"even {passes} passes"
    status = CheckStatus.of(tolerance.passes < PERCENT)
    what = f"the relative error of d{tolerance.tensor} that it lets through"
    return Evidence(what, f"below {PERCENT:.1g}", words, verdict=status)


@check(
    "verification.fd_restores",
    "The finite-difference check leaves its arguments as they were",
    hint="Keep the entry before you step, and put it back after; or step a copy.",
    serves="All parts: in-place operations.",
)
def fd_restores(view: View) -> Conclusion:
    """If there is a finite-difference check: what it steps is put back, but for rounding."""
    record = view.differences
    if (outcome := _undecided(record)) is not None:
        return outcome
    lines = [*_left(record), *map(_lingering, stepped(view))]
    if not lines:
        return left_open("Open: it was not seen what it leaves.")
    return judge(lines, f"{record.name} leaves its arguments as they were.")


def _left(record: DifferenceCheck) -> Iterator[Evidence]:
    assert record.case is not None
    for tensor in TENSORS:
        if tensor not in record.after:
            continue
        before, after = getattr(record.case, tensor), record.after[tensor]
        limit = RESIDUE * float(np.finfo(before.dtype).eps) * np.maximum(1.0, np.abs(before))
        off = np.abs(after - before)
        same = bool(np.all(off <= limit))
        words = f"changed by {number(float(off.max()))}"
        yield line(f"{tensor} after it", same, "as before", words, record.case.name)


def _lingering(stepping: Stepping) -> Evidence:
    what = f"{stepping.tensor} when the next step is made"
    return line(what, not stepping.lingers, "as before", "still changed")


def _undecided(record: DifferenceCheck) -> Conclusion | None:
    """Why nothing is said: there is none, or it could not be run."""
    if record.kind:
        return None
    text = f"Open: no finite-difference check could be run: {record.reason}."
    return left_open(text if record.reason else OPTIONAL)


DIFFERENCES = (fd_accurate, fd_catches, fd_restores)
