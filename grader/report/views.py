"""The content of the report's template, from a `Result`. Views format; they judge nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from grader.defects.signs.calls import counts
from grader.records import (
    CheckGrade,
    CheckStatus,
    Ended,
    Frame,
    Grade,
    Observation,
    Observations,
    Result,
    WrittenAnswer,
)
from grader.report.charts import Charts, charts
from grader.report.corrections import CorrectionsView, corrections_view
from grader.report.defects import DefectView, defect_views
from grader.report.graph import Panel, panels
from grader.report.listing import (
    Listing,
    defect_mark,
    frame_mark,
    line_href,
    line_prefixes,
    listings,
)
from grader.report.loading import loading_notes
from grader.report.summary import Summary, summary
from grader.report.values import values_beside

Audience: TypeAlias = Literal["interviewer", "candidate"]

ANSWER_HEADING = re.compile(r"^##[ \t]+(.*)$", re.MULTILINE)
MAX_FAILURES = 12
"""Distinct ways of ending shown; a submission that fails in more ways repeats itself."""

STATUS_ORDER = (
    (CheckStatus.ERROR, "Grader faults", "The grader failed here. Nothing is charged for these."),
    (CheckStatus.FAIL, "Failed", ""),
    (CheckStatus.SKIPPED, "Waiting", "These wait for another check to pass first."),
    (CheckStatus.MANUAL, "To be marked", "These need a person's judgement."),
    (CheckStatus.PASS, "Passed", ""),
)

ENDINGS: Mapping[Ended, str] = {
    Ended.RAISED: "raised an exception",
    Ended.BAD_RETURN: "returned something that does not fit the contract",
    Ended.MISSING: "is not defined",
    Ended.TIMEOUT: "took longer than the time limit",
    Ended.MEMORY_LIMIT: "needed more memory than the limit",
    Ended.OUTPUT_LIMIT: "printed more than the limit",
    Ended.CRASH: "ended the process",
    Ended.VIOLATION: "tried something the sandbox forbids",
    Ended.FRAMEWORK: "used a framework in the NumPy part",
    Ended.HARNESS: "could not be run, through a fault of the grader",
}


@dataclass(frozen=True, slots=True)
class CheckGroup:
    """All checks of one status, in the order of their declaration."""

    status: CheckStatus
    heading: str
    blurb: str
    checks: tuple[CheckGrade, ...]


@dataclass(frozen=True, slots=True)
class RunFailure:
    """One way in which runs ended, with every run that ended so."""

    anchor: str
    ending: str
    error: str
    traceback: str
    frames: tuple[tuple[Frame, str], ...]
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportView:
    """Everything derived; the records themselves go to the template beside it.

    `missed` names, by part and item, the checks that did not pass; `charged_under`
    the defects that the rest of the loss is charged to, where points were given back.
    """

    summary: Summary
    missed: dict[tuple[str, str], tuple[str, ...]]
    charged_under: dict[tuple[str, str], tuple[str, ...]]
    checks: dict[str, CheckGrade]
    groups: tuple[CheckGroup, ...]
    defects: tuple[DefectView, ...]
    defect_anchors: dict[str, str]
    corrections: CorrectionsView
    panels: tuple[Panel, ...]
    charts: Charts
    failures: tuple[RunFailure, ...]
    listings: tuple[Listing, ...]
    answers: tuple[tuple[str, str], ...]
    beside: dict[int, tuple[WrittenAnswer, ...]]
    isolation: tuple[tuple[str, str, str], ...]
    unisolated: str
    loading_notes: tuple[str, ...] = ()


def report_view(result: Result, audience: Audience) -> ReportView:
    """Return all that the report shows of `result` and that is not a record's own field."""
    defects = defect_views(result)
    failures = _failures(result)
    marks = [m for view in defects if (m := defect_mark(view.defect, view.anchor))]
    for failure in failures:
        marks += [frame_mark(f, failure.error, failure.anchor) for f, _ in failure.frames]
    anchors = {view.defect.code: view.anchor for view in reversed(defects)}
    beside = values_beside(result, {view.defect.code: view for view in reversed(defects)})
    written = result.submission.written
    questions = dict.fromkeys(answer.question for answer in written)
    numpy, torch = result.observations.numpy.isolation, result.observations.torch.isolation
    unisolated = (i["unisolated"] or "unisolated" for i in (numpy, torch) if "unisolated" in i)
    return ReportView(
        summary=summary(result, defects),
        missed=_missed(result.grade),
        charged_under=_charged_under(result.grade),
        checks={check.id: check for check in result.grade.checks},
        groups=_groups(result.grade),
        defects=defects,
        defect_anchors=anchors,
        corrections=corrections_view(result),
        panels=panels(result, anchors),
        charts=charts(result.pictures, interviewer=audience == "interviewer"),
        failures=failures,
        listings=listings(result.submission, marks, beside),
        answers=answer_sections(result.submission.answers),
        beside={n: tuple(a for a in written if a.question == n) for n in questions},
        isolation=tuple(
            (fact, numpy.get(fact, ""), torch.get(fact, ""))
            for fact in dict.fromkeys([*numpy, *torch])
        ),
        unisolated=next(unisolated, ""),
        loading_notes=loading_notes(result.observations),
    )


def _missed(grade: Grade) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return by part and item the checks that did not pass."""
    lost = (CheckStatus.FAIL, CheckStatus.SKIPPED, CheckStatus.ERROR)
    missed = {check.id for check in grade.checks if check.status in lost}
    return {
        (part.id, item.id): tuple(check for check in item.checks if check in missed)
        for part in grade.parts
        for item in part.items
    }


def _charged_under(grade: Grade) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the codes that explain an item's checks, by part and item with points given back."""
    reasons = {check.id: check.explained_by for check in grade.checks}
    return {
        (part.id, item.id): tuple(
            dict.fromkeys(code for check in item.checks for code in reasons.get(check, ()))
        )
        for part in grade.parts
        for item in part.items
        if item.given_back > 0
    }


def _groups(grade: Grade) -> tuple[CheckGroup, ...]:
    groups = (
        CheckGroup(status, heading, blurb, tuple(c for c in grade.checks if c.status is status))
        for status, heading, blurb in STATUS_ORDER
    )
    return tuple(group for group in groups if group.checks)


def _failures(result: Result) -> tuple[RunFailure, ...]:
    """Return runs that did not end well, one entry per kind of ending, exception and place."""
    prefixes = line_prefixes(result.submission)
    groups: dict[tuple[Ended, str, tuple[Frame, ...]], list[tuple[str, Observation]]] = {}
    for step, observation in _runs(result.observations):
        if observation.ended not in (Ended.OK, Ended.NOT_RUN):
            kind = observation.error.partition(":")[0]
            groups.setdefault((observation.ended, kind, observation.frames), []).append(
                (step, observation)
            )
    return tuple(
        RunFailure(
            anchor=f"trouble-{number}",
            ending=ENDINGS[ended],
            error=runs[0][1].error,
            traceback=runs[0][1].traceback,
            frames=tuple((f, line_href(prefixes, f.file, f.line)) for f in frames),
            runs=tuple(step for step, _ in runs),
        )
        for number, ((ended, _, frames), runs) in enumerate(groups.items(), start=1)
        if number <= MAX_FAILURES
    )


def _runs(observations: Observations) -> Iterator[tuple[str, Observation]]:
    yield "loading for the NumPy part", observations.numpy.loaded
    yield "loading for the PyTorch part", observations.torch.loaded
    yield from ((s, o) for s, o in observations.runs.items() if counts(s))


def answer_sections(text: str) -> tuple[tuple[str, str], ...]:
    """Return the written answers as heading and text; what precedes the first heading has none."""
    before, *rest = ANSWER_HEADING.split(text)
    sections = [("", before.strip())] if before.strip() else []
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return tuple(sections + [(heading.strip(), body.strip()) for heading, body in pairs])
