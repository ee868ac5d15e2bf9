"""A folder of folders, files and archives, each of them one submission."""

from __future__ import annotations

from grader.intake.exports.attempt import Attempt
from grader.intake.exports.container import CohortContainer
from grader.intake.find import suffix_of


def recognise(container: CohortContainer, base: str) -> list[Attempt] | None:
    """Return one submission for each entry that can be one; None when there is none."""
    attempts = []
    for entry in container.entries(base):
        suffix = "" if entry.is_folder else suffix_of(entry.name)
        if entry.is_folder or suffix:
            name = entry.name.removesuffix(suffix)
            piece = (entry, "" if entry.is_folder else entry.name)
            attempts.append(Attempt(entry.name, name, (piece,), label=entry.name))
        else:
            container.left_out[entry.name] = None
    return attempts or None
