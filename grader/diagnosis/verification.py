"""Defects of the candidate's own verification, from how it took gradients that were spoiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from grader.checks.view import View
from grader.child.reports import Place
from grader.diagnosis.numeric import make
from grader.observe.trials import PERCENT, Trial
from grader.observe.verification import Verification
from grader.records import TENSORS, CheckStatus, Confidence, Defect, Ended, Finding

Findings = Mapping[str, Finding]
ACCEPTS = "verification.accepts"
EXISTS = "verification.exists"


def verification_defects(view: View, findings: Findings) -> Iterator[Defect]:
    """What is wrong with the comparison itself, each with the line where it is made.

    A bug in either side is no defect of the verification: the trials were made on sides
    that agree.
    """
    if not view.observations.torch.loaded.ok:
        return
    if findings[EXISTS].status is CheckStatus.FAIL:
        if view.observations["verify/primes"].ended is not Ended.MISSING:
            yield make("incomplete", "verify is a stub.")
        return
    found = [*_rejects(view, findings), *_lets_through(view, findings)]
    wrong = [e for e in findings[ACCEPTS].evidence if e.verdict is CheckStatus.FAIL]
    if not found and any(e.observed == "yes" for e in wrong):
        text = "verify says yes although the candidate's two sides plainly differ."
        yield make("verify-always-true", text, confidence=Confidence.LIKELY)
    yield from found


def _rejects(view: View, findings: Findings) -> Iterator[Defect]:
    """A pair that agrees is refused; sides that are given other numbers are why, or nothing is."""
    record = view.verification
    check = findings[ACCEPTS]
    wrong = [e for e in check.evidence if e.verdict is CheckStatus.FAIL]
    if check.status is not CheckStatus.FAIL or not any(e.observed == "no" for e in wrong):
        return
    if record.different and record.accepts is False:
        names = ", ".join(record.different)
        text = f"{names}: the two sides of the comparison are not given the same numbers."
        yield _at(
            make("verify-different-inputs", text, record.different), record, record.divergence
        )
        return
    text = "verify says no although the candidate's two sides agree."
    yield _at(make("verify-rejects-correct", text), record, record.refusal)


def _lets_through(view: View, findings: Findings) -> Iterator[Defect]:
    """Wrong gradients are accepted: all, those of some tensors, or those that are a little off."""
    record = view.verification
    watched = ("verification.covers", "verification.refuses", "verification.tight")
    if not any(findings[check].status is CheckStatus.FAIL for check in watched):
        return
    overlooked = record.overlooked
    if overlooked == TENSORS:
        how = "nothing is computed" if record.idle else _tried(record.of(TENSORS[0]))
        text = f"No wrong gradient is noticed, in any of the five ({how})."
        yield _at(make("verify-always-true", text), record, record.verdict)
        return
    if overlooked:
        names = ", ".join(f"d{t}" for t in overlooked)
        text = f"{names}: never compared; accepted {_tried(record.of(overlooked[0]))}."
        yield _compared(make("verify-partial", text, overlooked), record)
    seen_in_part = [t for t in TENSORS if t not in overlooked]
    loose = tuple(t for t in seen_in_part if record.loosest(t) >= PERCENT)
    if loose:
        most = max(record.loosest(t) for t in loose)
        names = ", ".join(f"d{t}" for t in loose)
        text = f"{names}: an error of {100 * most:.3g} % is accepted."
        yield _compared(make("verify-loose-tolerance", text, loose), record)
    slips = [s for t in seen_in_part if t not in loose for s in record.of(t) if s.missed]
    if slips and not overlooked:
        tensors = tuple(t for t in TENSORS if any(s.tensor == t for s in slips))
        words = ", ".join(dict.fromkeys(f"d{s.tensor} {s.words}" for s in slips[:4]))
        text = f"A part of each gradient is compared, not its entries: it accepts {words}."
        yield _compared(make("verify-partial", text, tensors), record)


def _tried(trials: Sequence[Trial]) -> str:
    words = list(dict.fromkeys(t.words for t in trials if t.missed))
    return ", ".join(words[:4])


def _compared(defect: Defect, record: Verification) -> Defect:
    """`defect` at the comparison that noticed something, of its own tensors if of any."""
    placed = [t for t in record.trials if t.line and not t.missed]
    own = [t for t in placed if t.tensor in defect.tensors]
    for trial in own or placed:
        return _placed(defect, record, trial.file, trial.line)
    return _at(defect, record, record.verdict)


def _at(defect: Defect, record: Verification, place: Place) -> Defect:
    """`defect` at a place of the record; as it is where that is not known."""
    file, line = place
    return _placed(defect, record, file, line) if line else defect


def _placed(defect: Defect, record: Verification, file: str, line: int) -> Defect:
    source = record.sources[file][line - 1].strip()
    return replace(defect, file=file, line=line, end_line=line, source=source)
