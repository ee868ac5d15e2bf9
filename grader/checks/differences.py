"""Checks of the candidate's own finite-difference check, which nobody has to write.

Absent it costs nothing: what rests on these checks is a bonus. At which points the loss was
taken, and what the check said, comes from the child; which steps are sensible, and which
gradients were wrong, is the judge's own. See `observe.difference_check` for what is trusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from grader.checks.check import Outcome, check, failed, judge, passed, waits
from grader.checks.refusal import listed, trial_line
from grader.checks.view import View, number
from grader.child.reports import Tolerance
from grader.observe.difference_check import DifferenceCheck
from grader.observe.trials import PERCENT
from grader.problem.compare import FINITE_DIFFERENCE, STEP
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
        """What a central difference with this step is off by, for a loss of order one.

        h² f'''/6 of truncation and eps f/h of rounding, with f = f''' = 1.
        """
        return self.step**2 / 6.0 + self.eps / self.step

    @property
    def limit(self) -> float:
        """The largest error of a sensible step: 1e-6, or near the best where eps is coarse."""
        return max(FINITE_DIFFERENCE, ROUGH * float(self.eps ** (2.0 / 3.0)))

    @property
    def too_large(self) -> bool:
        return not self.error <= self.limit and self.step > self.eps ** (1.0 / 3.0)

    @property
    def too_small(self) -> bool:
        return not self.error <= self.limit and not self.too_large


def steppings(record: DifferenceCheck) -> list[Stepping]:
    """How each tensor was stepped, of those that were."""
    assert record.case is not None
    found = (
        _stepping(t, record.points[t], getattr(record.case, t))
        for t in TENSORS
        if t in record.points
    )
    return [stepping for stepping in found if stepping is not None]


def stepped(view: View) -> list[Stepping]:
    """How the candidate's own check stepped, found once for all that look at it."""
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
    central = _entries_mirrored(moves, eps) if single else _rows_mirrored(moves, eps)
    sizes = np.abs(moves).max(axis=1) if single else np.sqrt((moves**2).sum(axis=1))
    share = float(moves.any(axis=0).mean())
    lingers = bool(single and counts.max() > 1)
    return Stepping(tensor, central, float(np.median(sizes)), eps, share, lingers)


def _entries_mirrored(moves: Array, eps: float) -> bool:
    """Whether most of the entries that were stepped were stepped both ways alike."""
    stepped = [np.unique(column[column != 0]) for column in moves.T if column.any()]
    return 2 * sum(_mirrored(each[:, None], eps) > 0.5 for each in stepped) > len(stepped)


def _rows_mirrored(moves: Array, eps: float) -> bool:
    return _mirrored(moves, eps) > 0.5


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
def fd_accurate(view: View) -> Outcome:
    """If there is a finite-difference check: it steps both ways, by a step that fits the dtype.

    Sensible is a step whose error, h²/6 + eps/h for a loss of order one, is at most 1e-6: in
    float64 from 1e-9 to 2e-3. A right gradient is accepted.
    """
    record = view.differences
    if (outcome := _untold(record)) is not None:
        return outcome
    found = stepped(view)
    if not found:
        return failed(f"{record.name} never steps an input.", _still(record))
    lines = [line for stepping in found for line in _accuracy(stepping, record)]
    lines += list(_accepted(record))
    return judge(lines, f"{record.name} takes central differences with a sensible step.")


def _accuracy(stepping: Stepping, record: DifferenceCheck) -> Iterator[Evidence]:
    what = f"steps of {stepping.tensor}"
    where = record.case.name if record.case else ""
    status = CheckStatus.PASS if stepping.central else CheckStatus.FAIL
    words = "to both sides" if stepping.central else "to one side"
    yield Evidence(what, "to both sides", words, where, verdict=status)
    if record.asks_step:
        return
    status = CheckStatus.PASS if stepping.error <= stepping.limit else CheckStatus.FAIL
    best = f"{stepping.eps ** (1.0 / 3.0):.1g}"
    step = f"{stepping.step:.2g}, good for an error of {stepping.error:.1g}"
    yield Evidence(f"the step of {stepping.tensor}", f"about {best}", step, where, verdict=status)
    numeric, slope = record.numeric.get(stepping.tensor), record.slopes.get(stepping.tensor)
    if numeric is not None and slope is not None:
        error = float(np.abs(numeric - slope).max() / np.abs(slope).max())
        status = CheckStatus.PASS if error <= stepping.limit else CheckStatus.FAIL
        said = f"off by {error:.1g} of its size"
        limit = f"within {stepping.limit:.1g}"
        yield Evidence(f"its slope by {stepping.tensor}", limit, said, where, verdict=status)


def _accepted(record: DifferenceCheck) -> Iterator[Evidence]:
    """Whether right gradients are accepted; and the number that it gives for them, if any."""
    if record.kind != "helper" and record.trials.equal:
        no = record.trials.accepts is False
        status = CheckStatus.FAIL if no else CheckStatus.PASS
        yield Evidence("right gradients", "accepted", "refused" if no else "accepted",
                       verdict=status)  # fmt: skip
    if record.number is not None:
        words = number(record.number)
        yield Evidence("what it returns on them", "", words, verdict=CheckStatus.PASS)


@check(
    "verification.fd_catches",
    "The finite-difference check refuses wrong gradients",
    hint="Compare every one of the five, relative to its size, with a limit near 1e-6.",
    serves="All parts: ideally finite differences too.",
)
def fd_catches(view: View) -> Outcome:
    """If there is a finite-difference check: each of the five gradients made wrong is refused.

    1 % off, an entry changed or transposed; where that passes, twice, 1/B and −1 times the
    right one and without the mask. Where entries are drawn, a drawn one is changed. The
    gradients are made to agree with the candidate's own loss first. Where its tolerance lies
    is shown.
    """
    record = view.differences
    if (outcome := _untold(record)) is not None:
        return outcome
    trials = record.trials
    if record.kind == "helper":
        text = f"Open: {record.name} gives the differences; what compares them was not found."
        return Outcome(CheckStatus.MANUAL, text)
    if trials.accepts is False:
        return waits("It refuses right gradients, so its refusals say nothing.",
                     "verification.fd_accurate")  # fmt: skip
    drawn = {s.tensor for s in stepped(view) if s.share < 1.0}
    lines = [
        trial_line(trial)
        for tensor in TENSORS
        for trial in trials.of(tensor)
        if not (tensor in drawn and trial.kind in ("transpose", "mask"))
    ]
    if not lines:
        why = record.reason or "nothing in a run of it answers to a wrong gradient"
        return Outcome(CheckStatus.MANUAL, f"Open: it could not be put to the test: {why}.")
    missed = [line for line in lines if line.verdict is not CheckStatus.PASS]
    lines += [_limit(record.tolerance)] if record.tolerance else []
    if missed:
        text = f"{record.name} accepts {listed([line.what for line in missed])}."
        return failed(text, *missed, *(line for line in lines if line not in missed))
    return passed(f"{record.name} refuses each of the five when it is wrong.", *lines)


def _limit(tolerance: Tolerance) -> Evidence:
    """Where its tolerance lies, from one gradient that was put off by less and less."""
    passes, stops = (f"{error:.1g}" for error in (tolerance.passes, tolerance.stops))
    words = f"{passes} passes, {stops} does not" if tolerance.passes else f"{stops} does not pass"
    words = words if np.isfinite(tolerance.stops) else f"even {passes} passes"
    status = CheckStatus.PASS if tolerance.passes < PERCENT else CheckStatus.FAIL
    what = f"the relative error of d{tolerance.tensor} that it lets through"
    return Evidence(what, f"below {PERCENT:.1g}", words, verdict=status)


@check(
    "verification.fd_restores",
    "The finite-difference check leaves its arguments as they were",
    hint="Keep the entry before you step, and put it back after; or step a copy.",
    serves="All parts: in-place operations.",
)
def fd_restores(view: View) -> Outcome:
    """If there is a finite-difference check: what it steps is put back, but for rounding."""
    record = view.differences
    if (outcome := _untold(record)) is not None:
        return outcome
    lines = [*_left(record), *map(_lingering, stepped(view))]
    if not lines:
        return Outcome(CheckStatus.MANUAL, "Open: it was not seen what it leaves.")
    return judge(lines, f"{record.name} leaves its arguments as they were.")


def _left(record: DifferenceCheck) -> Iterator[Evidence]:
    assert record.case is not None
    for tensor in TENSORS:
        if tensor not in record.after:
            continue
        before, after = getattr(record.case, tensor), record.after[tensor]
        limit = RESIDUE * float(np.finfo(before.dtype).eps) * np.maximum(1.0, np.abs(before))
        off = np.abs(after - before)
        kept = bool(np.all(off <= limit))
        words = "as before" if kept else f"changed by {number(float(off.max()))}"
        status = CheckStatus.PASS if kept else CheckStatus.FAIL
        yield Evidence(f"{tensor} after it", "as before", words, record.case.name, verdict=status)


def _lingering(stepping: Stepping) -> Evidence:
    status = CheckStatus.FAIL if stepping.lingers else CheckStatus.PASS
    words = "still changed" if stepping.lingers else "as before"
    what = f"{stepping.tensor} when the next step is made"
    return Evidence(what, "as before", words, verdict=status)


def _untold(record: DifferenceCheck) -> Outcome | None:
    """Why nothing is said: there is none, or it could not be run."""
    if record.kind:
        return None
    if record.reason:
        text = f"Open: no finite-difference check could be run: {record.reason}."
        return Outcome(CheckStatus.MANUAL, text)
    return Outcome(CheckStatus.MANUAL, OPTIONAL)


def _still(record: DifferenceCheck) -> Evidence:
    return Evidence(record.name, f"steps of about {number(STEP)}", "none")


DIFFERENCES = (fd_accurate, fd_catches, fd_restores)
