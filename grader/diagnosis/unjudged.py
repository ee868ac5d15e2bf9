"""Whether an answer can be judged at all; where not, why, and what a person can do.

Decided by how calls ended and by the structure of the source. What was called is judged, whatever
came of it: an exception, a wrong number, a time-out. What computes and could not be called is no
zero, and what computes nothing is no work that a person would have to look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from grader.checks import View
from grader.intake.encoding import why_no_text
from grader.records import (
    CallAttempt,
    CheckStatus,
    Ended,
    Finding,
    Submission,
    Unjudged,
    UnjudgedReason,
)
from grader.records.submission import TORCH_FUNCTION
from grader.source.work import WorkPlace

EXHAUSTED = (Ended.TIMEOUT, Ended.MEMORY_LIMIT)
"""With which importing ends where something at module level goes on for too long."""

MOST_FOUND = 6
MARK = "or mark it by hand with `grader view --review`."
WRAP = (
    "Call the code from a file `solution.py` beside it that defines forward, backward and "
    f"torch_forward_backward as the exercise has them, and grade again; {MARK}"
)
NAME_IT = (
    "If these functions take the exercise's arguments, in any order, name them in a file "
    "`submission.yaml` beside it, and grade again. If they take others, call them from a file "
    "`solution.py` that defines forward, backward and torch_forward_backward as the exercise has "
    f"them; {MARK}"
)
HAND_IN = (
    "Ask for the source again: solution.py, a notebook (.ipynb), or a .zip or .tar.gz of them, "
    "as text in UTF-8."
)
SHORTEN = (
    "Move what runs at module level (training, reading files) below "
    '`if __name__ == "__main__":`, or allow more with --timeout, and grade again.'
)


def unjudged(submission: Submission, view: View) -> Unjudged | None:
    """Return why there is no score; None where the answer is judged."""
    if not submission.main:
        return None if submission.blank else _unreadable(submission)
    numpy, torch = view.observations.numpy, view.observations.torch
    if not (numpy.loaded.ok or torch.loaded.ok) and (why := _no_text(submission)):
        return Unjudged(UnjudgedReason.UNREADABLE, why, HAND_IN)
    places = _places(view)
    if numpy.loaded.ended in EXHAUSTED and torch.loaded.ended in EXHAUSTED and view.work:
        words = "time" if numpy.loaded.ended is Ended.TIMEOUT else "memory"
        sentence = f"Importing the file used up its {words}, so nothing could be called."
        return Unjudged(UnjudgedReason.UNENDED, sentence, SHORTEN, found=places)
    hand, auto = view.uncalled("forward"), view.uncalled("torch")
    if not hand and (not auto or _was_called(view, "forward")):
        return None
    ended = numpy.search_ended if hand else torch.search_ended
    reason = UnjudgedReason.UNENDED if ended else UnjudgedReason.UNCALLED
    settings = _settings([*hand, *auto], submission.names)
    advice = NAME_IT if settings else WRAP
    attempts = (*_attempts(view, "forward", hand), *_attempts(view, "torch", auto))
    return Unjudged(reason, _sentence(hand, ended=ended), advice, attempts, places, settings)


def _attempts(view: View, part: str, uncalled: Sequence[WorkPlace]) -> Iterator[CallAttempt]:
    """Yield how far calling a part came; what was found instead of it, where nothing was tried."""
    if not uncalled:
        return
    side = "torch" if part == "torch" else "numpy"
    report = view.observations.torch if side == "torch" else view.observations.numpy
    made = next((a for a in report.attempts if a.part == side and a.call), None)
    yield made or CallAttempt(side, error=view.observations[f"{part}/primes"].error)


def _was_called(view: View, part: str) -> bool:
    return view.observations[f"{part}/primes"].ended not in (Ended.MISSING, Ended.NOT_RUN)


def _unreadable(submission: Submission) -> Unjudged:
    why = "; ".join(submission.unusable) or "no Python file was found"
    return Unjudged(UnjudgedReason.UNREADABLE, f"{submission.name} cannot be read: {why}.", HAND_IN)


def _no_text(submission: Submission) -> str:
    """Return which file is no text, in a sentence; "" where all are."""
    reasons = ((f.path, why_no_text(f.data)) for f in submission.files)
    return next((f"{path} cannot be read: {why}." for path, why in reasons if why), "")


def _sentence(hand: Sequence[WorkPlace], *, ended: bool) -> str:
    part = "The part by hand" if hand else "The answer"
    if ended:
        return f"{part} computes, and looking for a way to call it took too long."
    return f"{part} computes, and no way to call it was found."


def _places(view: View) -> tuple[str, ...]:
    rows = [f"`{p.heading}` ({p.spot.file}, line {p.spot.line})" for p in view.work]
    more = [f"{len(rows) - MOST_FOUND} more"] if len(rows) > MOST_FOUND else []
    return (*rows[:MOST_FOUND], *more)


def _settings(work: Sequence[WorkPlace], names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the lines of `submission.yaml` that name the likeliest functions; () without any.

    The backward pass multiplies by transposed arrays. Of several the one with the most
    parameters is likeliest, for the weights are among them. `names` were tried already.
    """
    named = [p for p in work if p.parameters and p.name.strip("_") and not p.nested]
    hand, auto = ([p for p in named if p.torch is torch] for torch in (False, True))
    backward = _likeliest([p for p in hand if p.transposes])
    forward = _likeliest([p for p in hand if not p.transposes]) or backward
    torch = _likeliest(auto)
    rows = (("forward", forward), ("backward", backward), (TORCH_FUNCTION, torch))
    lines = [
        f"  {name}: {place.path}"
        for name, place in rows
        if place is not None and names.get(name) != place.path
    ]
    return ("names:", *lines) if lines else ()


def _likeliest(places: Sequence[WorkPlace]) -> WorkPlace | None:
    return max(places, key=lambda place: len(place.parameters), default=None)


def set_aside(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings of an answer without a score: what did not pass is left to a person."""
    lost = (CheckStatus.FAIL, CheckStatus.SKIPPED)
    return [
        replace(f, status=CheckStatus.MANUAL, waited_for=()) if f.status in lost else f
        for f in findings
    ]
