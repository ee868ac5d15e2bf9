"""Checks that the candidate's own verification refuses what is wrong.

The judge has gradients spoiled one at a time, on sides that agree, and sees what is said. What
is said to be refused counts where blind trials bear it out: see `observe.blind`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.checks.check import Conclusion, check, failed, left_open, listed, passed, waits
from grader.checks.verification import gap, own_mismatch
from grader.checks.view import View
from grader.child.reports import CheckForm, CorruptionKind, GradientSide, Refusal, TrialOutcome
from grader.observe.plan import VERIFY_CASES
from grader.observe.trials import PERCENT, Doubt, Trial
from grader.observe.verification_record import Verification
from grader.records import TENSORS, CheckStatus, Evidence

WORDS = {
    Refusal.RETURN: "its return value",
    Refusal.RAISE: "raising",
    Refusal.PRINT: "what it prints",
    Refusal.NUMBER: "the number it returns",
    Refusal.COMPARISON: "a comparison",
}
"""How a verification refuses, in words."""


DOUBTS = {
    Doubt.UNFINISHED: "the blind trials did not end in time",
    Doubt.REFUSES_RIGHT: "it refuses pairs that agree, on inputs that no other call had",
    Doubt.THIRD: "it holds each side against something else than the other side",
    Doubt.ONE_SIDE: "one side's gradients could not be found in a run of it",
}
"""Why the blind trials decide nothing, in words."""

SIDES = {GradientSide.HAND: " on the hand-written side", GradientSide.AUTO: " on autograd's side"}


@check(
    "verification.covers",
    "verify looks at all five gradients",
    needs=("verification.exists",),
    hint="Loop over the names of all five, X included, and let one disagreement decide.",
    serves="Part 3: all five gradients compared.",
)
def covers(view: View) -> Conclusion:
    """Where one gradient of one side is made wrong, whichever it is, `verify` notices.

    Both sides are made to agree first, so a bug in either is no matter here.
    """
    if (outcome := _undecided(view)) is not None:
        return outcome
    record = view.verification
    lines = [_noticed(tensor, record.of(tensor)) for tensor in TENSORS if record.of(tensor)]
    if record.idle:
        return failed("verify says yes without running either side.", _idle())
    if overlooked := record.overlooked:
        names = ", ".join(f"d{t}" for t in overlooked)
        passed_on = listed([t.words for t in record.of(overlooked[0])])
        text = f"{_subject(record)} notices no error in {names}: accepted {passed_on}."
        return failed(text, *sorted(lines, key=lambda line: line.good))
    return passed(f"{_subject(record)} notices an error in each of the five.", *lines)


@check(
    "verification.refuses",
    "verify refuses every plainly wrong gradient",
    needs=("verification.exists",),
    hint="Compare entry by entry, shapes first: a sum or a norm of each side hides a transpose.",
    serves="Part 3: all five gradients compared.",
)
def refuses(view: View) -> Conclusion:
    """One entry changed, a transpose, the wrong sign, a factor of 2 or 1/B, or no mask: refused.

    The last three are tried on the gradients of which a lesser error was let through.
    """
    if (outcome := _undecided(view)) is not None:
        return outcome
    record = view.verification
    if record.idle:
        return failed("verify says yes without running either side.", _idle())
    lines = [trial_line(t) for tensor in TENSORS for t in record.of(tensor) if t.gross]
    good = f"{_subject(record)} refuses every plainly wrong gradient shown to it."
    return trials_outcome(_subject(record), lines, good)


@check(
    "verification.tight",
    "verify refuses an error of 1 %",
    needs=("verification.exists",),
    hint="In float64 ask for about 1e-9 of the tensor's largest entry; an absolute limit says "
    "nothing about a small gradient.",
    serves="Part 3: within a tight tolerance.",
)
def tight(view: View) -> Conclusion:
    """A gradient that is 1.01 times the right one is refused, for each that is looked at."""
    if (outcome := _undecided(view)) is not None:
        return outcome
    record = view.verification
    looked_at = [t for t in TENSORS if record.of(t) and t not in record.overlooked]
    if not looked_at:
        return failed(f"{_subject(record)} notices no error in any gradient, of any size.")
    lines = []
    for tensor in looked_at:
        percent = [
            t for t in record.of(tensor) if t.kind is CorruptionKind.SCALE and t.error <= PERCENT
        ]
        lines += [trial_line(t, record.loosest(tensor)) for t in percent]
    good = f"{_subject(record)} refuses a gradient that is 1 % off."
    return trials_outcome(_subject(record), lines, good, _how_far(view))


def _undecided(view: View) -> Conclusion | None:
    """Why nothing can be said of what it refuses, if so.

    What waits is a verification that objects to a pair that agrees, or whose two sides do
    not agree and could not be made to. One that ends the process refuses nothing. One that
    could not be put to the test for another reason is left to a person: the points are
    neither lost nor given on its own word.
    """
    record = view.verification
    if not record.by_script and all(gap(view, case) is None for case in VERIFY_CASES):
        return waits("The two sides did not both run, so no verdict is right.", "pytorch.runs")
    unlike = record.accepts is False and not record.equalised and _accepted_at_first(view)
    if record.accepts is False and not record.equalised and not unlike:
        text = "It objects to a pair that agrees, so its objections say nothing."
        return waits(text, "verification.accepts")
    if record.equalised and not (record.equal and record.accepts):
        text = "The two sides differ, and it cannot be judged apart from that."
        return waits(text, *_apart(view))
    if record.changed:
        return failed(f"It changed the code that examines it: {record.changed[0]}.")
    if record.broke_off:
        text = f"When it was shown wrong gradients, it ended the process ({record.reason})."
        return failed(text)
    if record.reaches and (record.doubt or record.reason or not record.tested):
        return failed("It looks at what examines it, and could not be examined apart from that.")
    if record.doubt and not any(t.missed for t in record.trials):
        return left_open(f"Left to a person: {DOUBTS[record.doubt]}.")
    if unlike or not record.tested:
        why = record.reason or "it answered otherwise when it was called again"
        why = why if unlike or record.reason else "no gradient could be found in a run of it"
        return left_open(f"Could not be put to the test: {why}.")
    return None


def _accepted_at_first(view: View) -> bool:
    """Whether the calls that are graded were answered with yes."""
    steps = [view.step(f"verify/{case}") for case in VERIFY_CASES]
    return all(step.ok and bool(step.arrays["accepted"]) for step in steps)


def _apart(view: View) -> tuple[str, ...]:
    """The checks of the gradients that differ between the two sides, on either."""
    both = (f"{part}.d{t}" for part in ("backward", "pytorch") for t in own_mismatch(view))
    return tuple(both) or ("backward.own_loss",)


def _subject(record: Verification) -> str:
    return "The script's comparison" if record.form is CheckForm.SCRIPT else "verify"


def _idle() -> Evidence:
    return Evidence("verify", "a comparison", "a yes, with nothing computed")


def _noticed(tensor: str, trials: list[Trial]) -> Evidence:
    """Whether any error in one gradient was noticed."""
    noticed = next((t for t in trials if not t.missed), None)
    if noticed is None:
        never = all(t.outcome is TrialOutcome.ABSENT for t in trials)
        reaction = "it does not occur in a run" if never else "accepted, whatever was done to it"
        return Evidence(f"a wrong d{tensor}", "refused", reaction, trials[0].case)
    return replace(trial_line(noticed), what=f"a wrong d{tensor}")


def trial_line(trial: Trial, loosest: float = 0.0) -> Evidence:
    """Return the line for one spoiled gradient: by what it was refused, if it was."""
    side = SIDES[trial.side] if trial.side else ""
    what = f"d{trial.tensor} {trial.words}{side}"
    if not trial.missed:
        line = f", line {trial.line}" if trial.line else ""
        words = f"refused by {WORDS[trial.by]}{line}" if trial.by else "refused"
        return Evidence(what, "refused", words, trial.case, verdict=CheckStatus.PASS)
    further = f", as is an error of {_percent(loosest)}" if loosest > PERCENT else ""
    return Evidence(what, "refused", f"accepted{further}", trial.case)


def _how_far(view: View) -> str:
    """The largest error that passes, if it was found."""
    loosest = max(view.verification.loosest(t) for t in TENSORS)
    return f"; an error of {_percent(loosest)} passes as well" if loosest > PERCENT else ""


def _percent(error: float) -> str:
    return f"{100 * error:.3g} %"


def trials_outcome(
    subject: str,
    lines: list[Evidence],
    good: str,
    further: str = "",
    shown: Sequence[Evidence] = (),
) -> Conclusion:
    """Return a pass where all trials were refused, else which were accepted.

    `shown` is added to the evidence, and decides nothing.
    """
    missed = [line for line in lines if not line.good]
    refused = [line for line in lines if line.good]
    if not missed:
        return passed(good, *lines, *shown)
    text = f"{subject} accepts {listed([line.what for line in missed])}{further}."
    return failed(text, *missed, *refused, *shown)


TRIALS = (covers, refuses, tight)
