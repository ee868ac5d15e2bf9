"""Canvas, “Download Submissions”: flat files `lastnamefirstname_LATE_<user>_<attachment>_<name>`.

Canvas marks a file that was handed in again by `-1`, `-2` … before its suffix; candidates
write `_v2`. The newest is taken, under the plain name, by which others may import it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from grader.intake.exports.attempt import MOST, Attempt
from grader.intake.exports.container import CohortContainer, ContainerEntry

FILE = re.compile(r"^(?P<name>.+?)(?:_LATE)?_(?P<user>\d+)_(?P<number>\d+)_(?P<file>.+)")
ANONYMOUS = re.compile(r"(?P<name>anon)(?:_LATE)?_(?P<user>\w{4,8})_(?P<number>\d+)_(?P<file>.+)")
AGAIN = re.compile(r"^(?P<stem>.+)(?:-(?P<again>\d{1,2})|_v\d{1,2})(?P<suffix>(?:\.\w+)+)")


@dataclass(frozen=True, slots=True)
class _File:
    """One attachment: its number grows with time."""

    entry: ContainerEntry
    who: str
    name: str
    number: int
    file: str


def recognise(container: CohortContainer, base: str) -> list[Attempt] | None:
    """Return one submission for each user; None when the files are not called like this."""
    rows = container.entries(base)
    files = [f for f in map(_file, rows) if f is not None]
    if not files or len(files) < MOST * len(rows):
        return None
    container.leave_out_others(rows, {f.entry.path for f in files})
    people: dict[str, list[_File]] = {}
    for file in files:
        people.setdefault(file.who, []).append(file)
    return [_attempt(who, attachments) for who, attachments in people.items()]


def _file(entry: ContainerEntry) -> _File | None:
    match = ANONYMOUS.fullmatch(entry.name) or FILE.fullmatch(entry.name)
    if entry.is_folder or match is None:
        return None
    name = f"anon {match['user']}" if match["name"] == "anon" else match["name"]
    return _File(entry, match["user"], name, int(match["number"][:18]), match["file"])


def _attempt(who: str, files: Sequence[_File]) -> Attempt:
    pieces, passed_over = [], []
    for name, versions in _versions(files).items():
        *earlier, newest = sorted(versions, key=lambda f: f.number)
        pieces.append((newest.entry, name))
        passed_over += [f"{f.file} (an earlier version of {newest.file})" for f in earlier]
    return Attempt(who, files[0].name, tuple(pieces), (), tuple(passed_over))


def _versions(files: Sequence[_File]) -> dict[str, list[_File]]:
    """Return the versions of each file by its plain name.

    `part-1.py` and `part-2.py` without a `part.py` are two files: only where the plain
    name, or `_v` and a number, says that they are versions, the newest stands for all.
    """
    groups: dict[str, list[_File]] = {}
    for file in files:
        groups.setdefault(_plain(file.file), []).append(file)
    versions_of: dict[str, list[_File]] = {}
    for name, versions in groups.items():
        names = {f.file for f in versions}
        dashes = [f for f in versions if (m := AGAIN.fullmatch(f.file)) and m["again"]]
        if name not in names and len(dashes) > 1:
            for file in versions:
                versions_of.setdefault(file.file, []).append(file)
        else:
            versions_of.setdefault(name, []).extend(versions)
    return versions_of


def _plain(file: str) -> str:
    again = AGAIN.fullmatch(file)
    return f"{again['stem']}{again['suffix']}" if again else file
