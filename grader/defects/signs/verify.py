"""How kinds of the candidate's own verification show: in how it took spoiled gradients.

A bug in either side is no defect of the verification: the trials were made on sides that agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.child.reports import Place
from grader.defects.clues import Clues
from grader.defects.kind import Sighting, Telling
from grader.defects.signs.network import names_of
from grader.observe.trials import PERCENT, Trial
from grader.observe.verification_record import Verification
from grader.records import TENSORS, CheckStatus, Confidence, Ended, Finding, Mismatch, Part
from grader.source.program import Spot

Findings = Sequence[Finding]


def _answers(finding: Finding) -> set[Mismatch]:
    """What the verification said where its word does not fit the two sides."""
    return {line.mismatch for line in finding.evidence}


def has_no_body(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that verify is there, and is a stub."""
    ended = clues.view.observations["verify/primes"].ended
    if clues.view.observations.torch.loaded.ok and ended is not Ended.MISSING:
        yield Sighting("verify is a stub.", part=Part.VERIFICATION)


def unlike_inputs(clues: Clues, findings: Findings) -> Iterator[Sighting]:
    """Tell that a pair that agrees is refused, as the two sides were given other numbers."""
    record = clues.view.verification
    if Mismatch.REFUSED in _answers(findings[0]) and record.different and record.accepts is False:
        text = f"{', '.join(record.different)}: the two sides of the comparison are not given"
        yield Sighting(f"{text} the same numbers.", record.different, spot=_spot(record.divergence))


def refuses_what_agrees(clues: Clues, findings: Findings) -> Iterator[Sighting]:
    """Tell that a pair that agrees is refused for nothing."""
    record = clues.view.verification
    if Mismatch.REFUSED in _answers(findings[0]) and not (
        record.different and record.accepts is False
    ):
        text = "verify says no although the candidate's two sides agree."
        yield Sighting(text, spot=_spot(record.refusal))


def accepts_what_differs(*trials: str) -> Telling:
    """Tell that it says yes to two sides that differ, where no failing trial says more."""

    def tell(clues: Clues, findings: Findings) -> Iterator[Sighting]:
        record, told = clues.view.verification, False
        if any(clues.findings[check].status is CheckStatus.FAIL for check in trials):
            told = bool(record.overlooked or _loose(record) or _slips(record))
        answers = _answers(findings[0])
        if Mismatch.ACCEPTED in answers and Mismatch.REFUSED not in answers and not told:
            text = "verify says yes although the candidate's two sides plainly differ."
            yield Sighting(text, confidence=Confidence.LIKELY)

    return tell


def accepts_everything(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that no wrong gradient is noticed, in any of the five."""
    record = clues.view.verification
    if record.overlooked == TENSORS:
        how = "nothing is computed" if record.idle else _tried(record.of(TENSORS[0]))
        text = f"No wrong gradient is noticed, in any of the five ({how})."
        yield Sighting(text, spot=_spot(record.verdict))


def compares_a_part(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that some tensors are never looked at; or of each only a part, such as its sum."""
    record, overlooked = clues.view.verification, clues.view.verification.overlooked
    if overlooked == TENSORS:
        return
    if overlooked:
        text = f"{names_of(overlooked)}: never compared; accepted"
        text = f"{text} {_tried(record.of(overlooked[0]))}."
        yield Sighting(text, overlooked, spot=_comparison(record, overlooked))
    elif slips := _slips(record):
        tensors = tuple(t for t in TENSORS if any(s.tensor == t for s in slips))
        words = ", ".join(dict.fromkeys(f"d{s.tensor} {s.words}" for s in slips[:4]))
        text = f"A part of each gradient is compared, not its entries: it accepts {words}."
        yield Sighting(text, tensors, spot=_comparison(record, tensors))


def accepts_a_percent(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that a gradient that is a little off is accepted."""
    record = clues.view.verification
    if record.overlooked != TENSORS and (loose := _loose(record)):
        most = max(record.loosest(t) for t in loose)
        text = f"{names_of(loose)}: an error of {100 * most:.3g} % is accepted."
        yield Sighting(text, loose, spot=_comparison(record, loose))


def _loose(record: Verification) -> tuple[str, ...]:
    looked_at = (t for t in TENSORS if t not in record.overlooked)
    return tuple(t for t in looked_at if record.loosest(t) >= PERCENT)


def _slips(record: Verification) -> list[Trial]:
    """The errors let through in tensors that are compared, and not loosely."""
    rest = [t for t in TENSORS if t not in record.overlooked and t not in _loose(record)]
    return [s for t in rest for s in record.of(t) if s.missed]


def _tried(trials: Sequence[Trial]) -> str:
    words = list(dict.fromkeys(t.words for t in trials if t.missed))
    return ", ".join(words[:4])


def _comparison(record: Verification, tensors: Sequence[str]) -> Spot | None:
    """The comparison that noticed something, of these tensors if of any."""
    placed = [t for t in record.trials if t.line and not t.missed]
    own = [t for t in placed if t.tensor in tensors]
    for trial in own or placed:
        return Spot(trial.file, trial.line, trial.line)
    return _spot(record.verdict)


def _spot(place: Place) -> Spot | None:
    file, line = place
    return Spot(file, line, line) if line else None
