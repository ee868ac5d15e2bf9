"""The head of a report: the score, and the one to three sentences that matter most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.records import (
    CheckGrade,
    CheckStatus,
    Grade,
    GradeStatus,
    ItemGrade,
    OwnVerdict,
    Result,
    Severity,
)
from grader.report.defects import DefectView
from grader.report.numbers import percent_of, plural, score_of

MAX_SENTENCES = 3
MAX_LINKS = 3


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that matters, and where it is shown. `tone` is a severity, "gate", "fail",
    "pass", or "own" for what the answer's own check says.

    `links` are pairs of address and words; `more` counts what they leave out.
    """

    text: str
    tone: str
    links: tuple[tuple[str, str], ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """The head of a report. `score` is "" while undecided: an unknown score is not a zero."""

    score: str
    percent: str
    band: str
    sentences: tuple[Sentence, ...]
    lost: float
    open_items: tuple[ItemGrade, ...]


def summary(result: Result, defects: Sequence[DefectView]) -> Summary:
    """Return the verdict; `defects` are the views of its defects, the gravest first."""
    grade = result.grade
    decided = grade.status is GradeStatus.GRADED
    return Summary(
        score=score_of(grade.score, grade.max_score) if decided else "",
        percent=percent_of(grade.score, grade.max_score) if decided else "",
        band=(grade.band or "") if decided else "",
        sentences=tuple(_sentences(result, defects)) if decided else (),
        lost=max(0.0, grade.max_score - grade.score - grade.unjudged),
        open_items=tuple(item for part in grade.parts for item in part.items if item.open),
    )


def _sentences(result: Result, defects: Sequence[DefectView]) -> Iterator[Sentence]:
    """Yield what its own check says, gates, defects, and what no defect explains.

    At most `MAX_SENTENCES` besides its own check.
    """
    grade = result.grade
    gates = [Sentence(gate, "gate") for gate in grade.gates[: MAX_SENTENCES - 1]]
    named = list(_named(defects))
    rest = _unexplained(grade, at_all=not named)
    room = MAX_SENTENCES - len(gates) - bool(rest)
    yield from _own_check(result)
    yield from gates
    yield from named[:room] if len(named) <= room else _shortened(named, room)
    yield from rest


def _own_check(result: Result) -> Iterator[Sentence]:
    """Yield what the answer's own verification says of it, where that bears on a mistake."""
    tensors = ", ".join(f"d{t}" for t in result.own_mismatch)
    match result.own_verdict:
        case OwnVerdict.DIFFERS if tensors:
            text = f"Its own check reports a mismatch in {tensors}; it was handed in like this."
            yield Sentence(text, "own")
        case OwnVerdict.RAISES:
            text = "Its own check stops with an error; it was handed in like this."
            yield Sentence(text, "own")
        case OwnVerdict.AGREES if tensors:
            text = f"Its own check says that the two sides agree, but they differ in {tensors}."
            yield Sentence(text, "own")


def _named(defects: Sequence[DefectView]) -> Iterator[Sentence]:
    """Yield a sentence for each thing that a defect says, with the way to its line."""
    messages: set[str] = set()
    for view in defects:
        defect = view.defect
        if defect.severity is Severity.INFO or defect.message in messages:
            continue
        messages.add(defect.message)
        where = f"line {defect.line}" if view.href else defect.code
        link = (view.href or f"#{view.anchor}", where)
        yield Sentence(defect.message, defect.severity.value, (link,))


def _shortened(named: Sequence[Sentence], room: int) -> Iterator[Sentence]:
    """Yield as many as there is room for, the last of them with the number of the others."""
    yield from named[: max(0, room - 1)]
    if room > 0:
        last, more = named[room - 1], len(named) - room
        link = ("#defects", f"and {plural(more, 'more defect')}")
        yield Sentence(last.text, last.tone, (*last.links, link))


def _unexplained(grade: Grade, *, at_all: bool) -> list[Sentence]:
    """Return the failed checks that no defect explains, as one sentence; or that all pass."""
    failed = [c for c in grade.checks if c.status is CheckStatus.FAIL]
    bare = [c for c in failed if not c.explained_by]
    if len(bare) == 1:
        text = f"{bare[0].title}: no. {bare[0].message}"
        return [Sentence(text, "fail", _links(bare))]
    if bare:
        also = "" if at_all else " more"
        text = f"{len(bare)}{also} checks fail that no defect here explains:"
        return [Sentence(text, "fail", _links(bare), max(0, len(bare) - MAX_LINKS))]
    run = [c for c in grade.checks if c.status is CheckStatus.PASS]
    if run and not failed:
        corrected = ", with the slip corrected" if grade.corrected else ""
        return [Sentence(f"All {len(run)} automatic checks pass{corrected}.", "pass")]
    return []


def _links(checks: Sequence[CheckGrade]) -> tuple[tuple[str, str], ...]:
    return tuple((f"#check-{check.id}", check.id) for check in checks[:MAX_LINKS])
