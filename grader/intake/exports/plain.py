"""A folder of folders, files and archives, each of them one submission."""

from __future__ import annotations

from grader.intake.exports.handed import Handed
from grader.intake.exports.place import Place
from grader.intake.find import suffix_of


def recognise(place: Place, base: str) -> list[Handed] | None:
    """One submission for each entry that can be one; None when there is none."""
    handed = []
    for entry in place.entries(base):
        suffix = "" if entry.is_folder else suffix_of(entry.name)
        if entry.is_folder or suffix:
            name = entry.name.removesuffix(suffix)
            piece = (entry, "" if entry.is_folder else entry.name)
            handed.append(Handed(entry.path, name, (piece,)))
        else:
            place.left_out[entry.name] = None
    return handed or None
