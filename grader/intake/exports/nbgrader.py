"""nbgrader: `submitted/<student>/<assignment>/`, with a `timestamp.txt` in each."""

from __future__ import annotations

from grader.intake.exports.attempt import MOST, Attempt, folder
from grader.intake.exports.container import CohortContainer, ContainerEntry

SUBMITTED = "submitted/"
STAMP = "timestamp.txt"
COURSE = ("source", "release", "autograded", "gradebook.db", "nbgrader_config.py")
LOOKED_AT = 50
"""Students looked at to find out whether this is such a folder."""


def recognise(container: CohortContainer, base: str) -> list[Attempt] | None:
    """Return the assignments of all students; None when this is no such folder."""
    named = f"{container.title}/{base}".endswith(SUBMITTED)
    if any(container.has(base + name) for name in COURSE) and container.has(base + SUBMITTED[:-1]):
        base, named = base + SUBMITTED, True
    students = container.entries(base)
    if not students or not all(s.is_folder for s in students):
        return None
    sample = [a for s in students[:LOOKED_AT] for a in container.entries(f"{s.path}/")]
    stamps = sum(container.has(f"{a.path}/{STAMP}") for a in sample if a.is_folder)
    stamped = 0 < MOST * len(sample) <= stamps
    if not all(a.is_folder for a in sample) or not (named or stamped):
        return None
    attempts = [(s, a) for s in students for a in container.entries(f"{s.path}/") if a.is_folder]
    alone = len({a.name for _, a in attempts}) == 1
    return [_attempt(student, assignment, alone=alone) for student, assignment in attempts] or None


def _attempt(student: ContainerEntry, assignment: ContainerEntry, *, alone: bool) -> Attempt:
    name = student.name if alone else f"{student.name} {assignment.name}"
    who = f"{student.name}/{assignment.name}"
    return Attempt(who, name, folder(assignment), label=student.name)
