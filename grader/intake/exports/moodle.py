"""Moodle, “Download all submissions”: `Full Name_<number>_assignsubmission_file_`, as a folder
each or, flat, as what stands before every file's name. Online texts are no code.
"""

from __future__ import annotations

import re

from grader.intake.exports.attempt import MOST, Attempt
from grader.intake.exports.container import CohortContainer, ContainerEntry

NAME = re.compile(
    r"^(?P<name>.+?)_(?P<who>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?", re.DOTALL
)


def recognise(container: CohortContainer, base: str) -> list[Attempt] | None:
    """Return one submission for each participant; None when the names are not of this form."""
    rows = container.entries(base)
    known = [(entry, match) for entry in rows if (match := NAME.fullmatch(entry.name))]
    if not known or len(known) < MOST * len(rows):
        return None
    container.leave_out_others(rows, {entry.path for entry, _ in known})
    names: dict[str, str] = {}
    pieces: dict[str, list[tuple[ContainerEntry, str]]] = {}
    texts: dict[str, list[str]] = {}
    for entry, match in known:
        who = match["who"]
        names.setdefault(who, match["name"])
        of_candidate = pieces.setdefault(who, [])
        if match["kind"] == "file":
            of_candidate.append((entry, "" if entry.is_folder else match["file"] or entry.name))
        else:
            texts.setdefault(who, []).append(f"{entry.name} (an online text)")
    return [
        Attempt(who, name, tuple(pieces[who]), (), tuple(texts.get(who, ())))
        for who, name in names.items()
    ]
