"""A folder or an archive of many submissions: who is in it, by the layout that wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from grader.errors import CallerError, SubmissionError
from grader.intake.exports import canvas, classroom, gradescope, moodle, nbgrader, plain
from grader.intake.exports.attempt import Attempt, Cohort, CohortEntry, ExportFormat
from grader.intake.exports.container import CohortContainer, FolderContainer, open_container
from grader.intake.files import Collector
from grader.intake.find import KINDS
from grader.intake.handed import Handed
from grader.intake.identity import stable_id, unique_ids
from grader.intake.lookalikes import lookalikes

LAYOUTS = (
    ExportFormat("Gradescope", gradescope.recognise),
    ExportFormat("Moodle", moodle.recognise),
    ExportFormat("Canvas", canvas.recognise),
    ExportFormat("nbgrader", nbgrader.recognise),
    ExportFormat("GitHub Classroom", classroom.recognise),
)
"""In the order in which they are tried: those with the plainest marks first."""

PLAIN = ExportFormat("plain", plain.recognise)


def find_cohort(path: Path, *, leave_out: Path | None = None) -> Cohort:
    """Return the cohort at `path`, a folder or an archive. Raises `CallerError` when there is none.

    Links are not followed: whoever fills the folder must not choose what else is read.
    `leave_out` is a folder in it that is none: the results of an earlier run.
    """
    container = open_container(path, leave_out)
    layout, attempts = _recognised(container)
    if not attempts:
        raise CallerError(f"{path}: no submissions (folders, {KINDS}) were found in it")
    latest, earlier = _latest(attempts)
    ids = unique_ids(stable_id(h.label or h.name, h.who) for h in latest)
    entries = tuple(
        CohortEntry(id, h.name, path / h.path, partial(_collect, container, h, id))
        for id, h in zip(ids, latest, strict=True)
    )
    alike = lookalikes((h.name, id) for h, id in zip(latest, ids, strict=True))
    return Cohort(layout.name, entries, (*container.left_out, *earlier), alike)


def _recognised(container: CohortContainer) -> tuple[ExportFormat, list[Attempt]]:
    """Return the layout of the container or of the one folder in it, and the attempts."""
    top = container.entries()
    alone = [f"{e.path}/" for e in top if e.is_folder] if len(top) == 1 else []
    for base in ("", *alone):
        for layout in LAYOUTS:
            if attempts := layout.recognise(container, base):
                return layout, attempts
    wrapped = (
        alone and not isinstance(container, FolderContainer) and _holds_several(container, alone[0])
    )
    return PLAIN, PLAIN.recognise(container, alone[0] if wrapped else "") or []


def _holds_several(container: CohortContainer, base: str) -> bool:
    """Return whether an archive's one folder is the cohort's own: it holds folders, no code."""
    rows = container.entries(base)
    return len(rows) > 1 and all(row.is_folder for row in rows)


def _latest(attempts: Sequence[Attempt]) -> tuple[list[Attempt], list[str]]:
    """Return the last attempt of each candidate, in the order found; and what the others were."""
    last: dict[str, Attempt] = {}
    earlier = []
    for each in attempts:
        other = last.get(each.who)
        if other is None:
            last[each.who] = each
            continue
        newer, older = sorted((other, each), key=lambda h: h.order, reverse=True)
        passed_over = (*older.passed_over, f"{older.path} (an earlier attempt)")
        last[each.who] = replace(newer, passed_over=(*newer.passed_over, *passed_over))
        earlier.append(f"{older.path} (an earlier attempt of {each.name})")
    return list(last.values()), earlier


def _collect(container: CohortContainer, attempt: Attempt, id: str) -> Handed:
    """Read what one candidate handed in. Never raises for what it is."""
    into = Collector()
    for passed in attempt.passed_over:
        into.skip(passed)
    try:
        for entry, name in attempt.pieces:
            container.collect_handed(entry, name, into)
    except SubmissionError as error:
        return Handed(id, attempt.name, into.finish(), attempt.who, str(error))
    return Handed(id, attempt.name, into.finish(), attempt.who)
