"""GitHub Classroom: a clone `<assignment>-<username>` each, as `gh classroom clone` leaves them."""

from __future__ import annotations

from grader.intake.exports.attempt import Attempt, folder
from grader.intake.exports.container import CohortContainer

MARKS = (".git", ".github")
TITLE = "-submissions"
LOOKED_AT = 50


def recognise(container: CohortContainer, base: str) -> list[Attempt] | None:
    """Return one attempt for each clone; None when these are no clones of one assignment."""
    rows = container.entries(base)
    clones = [e for e in rows if e.is_folder]
    if len(clones) < 2 or len(clones) < len(rows):
        return None
    first, last = clones[0].name, clones[-1].name  # in order: what these two share, all share
    shared = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    prefix = first[:shared].rpartition("-")[0]
    if not prefix or not all(e.name[len(prefix) + 1 :] for e in clones):
        return None
    title = (base.rstrip("/").rpartition("/")[2] or container.title).lower()
    is_export = title == f"{prefix}{TITLE}".lower() or any(
        container.has(f"{e.path}/{mark}") for e in clones[:LOOKED_AT] for mark in MARKS
    )
    if not is_export:
        return None
    names = [(e, e.name[len(prefix) + 1 :]) for e in clones]
    return [Attempt(name, name, folder(entry)) for entry, name in names]
