"""Moodle, “Download all submissions”: `Full Name_<number>_assignsubmission_file_`, as a folder
each or, flat, as what stands before every file's name. Online texts are no code.
"""

from __future__ import annotations

import re

from grader.intake.exports.attempt import Attempt
from grader.intake.exports.container import Container, ContainerEntry

NAME = re.compile(
    r"(?P<name>.+?)_(?P<who>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?", re.DOTALL
)


def recognise(container: Container, base: str) -> list[Attempt] | None:
    """Return one submission for each participant; None when the names are not of this form."""
    rows = container.entries(base)
    known = [(entry, found) for entry in rows if (found := NAME.fullmatch(entry.name))]
    if not known:
        return None
    ours = {entry.path for entry, _ in known}
    for entry in rows:
        if entry.path not in ours:
            container.left_out[f"{entry.name} (not called like a submission)"] = None
    names: dict[str, str] = {}
    pieces: dict[str, list[tuple[ContainerEntry, str]]] = {}
    texts: dict[str, list[str]] = {}
    for entry, found in known:
        who = found["who"]
        names.setdefault(who, found["name"])
        mine = pieces.setdefault(who, [])
        if found["kind"] == "file":
            mine.append((entry, "" if entry.is_folder else found["file"] or entry.name))
        else:
            texts.setdefault(who, []).append(f"{entry.name} (an online text)")
    return [
        Attempt(who, name, tuple(pieces[who]), (), tuple(texts.get(who, ())))
        for who, name in names.items()
    ]
