"""nbgrader: `submitted/<student>/<assignment>/`, with a `timestamp.txt` in each."""

from __future__ import annotations

from grader.intake.exports.handed import Handed, folder
from grader.intake.exports.place import Entry, Place

SUBMITTED = "submitted/"
STAMP = "timestamp.txt"
COURSE = ("source", "release", "autograded", "gradebook.db", "nbgrader_config.py")
LOOKED_AT = 50
"""Students looked at to find out whether this is such a folder."""


def recognise(place: Place, base: str) -> list[Handed] | None:
    """The assignments of all students; None when this is no such folder."""
    named = f"{place.title}/{base}".endswith(SUBMITTED)
    if any(place.has(base + name) for name in COURSE) and place.has(base + SUBMITTED[:-1]):
        base, named = base + SUBMITTED, True
    students = place.entries(base)
    if not students or not all(s.is_folder for s in students):
        return None
    sample = [a for s in students[:LOOKED_AT] for a in place.entries(f"{s.path}/")]
    stamped = any(place.has(f"{a.path}/{STAMP}") for a in sample if a.is_folder)
    if not all(a.is_folder for a in sample) or not (named or stamped):
        return None
    handed = [(s, a) for s in students for a in place.entries(f"{s.path}/") if a.is_folder]
    alone = len({a.name for _, a in handed}) == 1
    return [_handed(student, assignment, alone=alone) for student, assignment in handed] or None


def _handed(student: Entry, assignment: Entry, *, alone: bool) -> Handed:
    name = student.name if alone else f"{student.name} {assignment.name}"
    return Handed(f"{student.name}/{assignment.name}", name, folder(assignment))
