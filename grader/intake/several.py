"""Whether a folder holds the answers of several candidates, told by the structure of its files.

An answer is whole where a part by hand multiplies by a transposed array, as each backward pass
does. One candidate's modules import each other, stand beside one `solution.py`, or are versions
that differ by a number in their names; those are one answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from grader.errors import SubmissionError
from grader.intake.files import CODE, Read, is_archive, read_folder
from grader.intake.main import file_facts
from grader.intake.notebook import read_notebook
from grader.records import SourceFile, Submission
from grader.source.program import Program
from grader.source.work import work_places

FOLDERS = 2
"""Folders with a whole answer each that are no longer one candidate's."""

UNITS = 3
"""As many of files, notebooks, archives and folders: two files may well be one candidate's."""

ONE_ANSWER = ("solution.py", "solution.ipynb")
VERSION = re.compile(r"[\d_.\-\s]*+")


def several_answers(folder: Path, leave_out: Path | None = None) -> tuple[str, ...]:
    """Return the names of the entries that hold an answer each; () where it is one answer."""
    try:
        read = read_folder(folder, leave_out)
    except SubmissionError:
        return ()
    units = _units(read)
    if len(units) < FOLDERS or any(name.lower() in ONE_ANSWER for name in units):
        return ()
    archives = [p for p in read.passed_over if "/" not in p and is_archive(p)]
    whole = [name for name, files in units.items() if _is_whole(files)]
    folders = [name for name in whole if name not in {f.path for f in read.files}]
    names = sorted([*whole, *archives])
    enough = len(folders) >= FOLDERS or (whole and len(names) >= UNITS)
    if not enough or _are_versions(names) or _import_each_other(units):
        return ()
    return tuple(names)


def _units(read: Read) -> dict[str, list[SourceFile]]:
    """Return the code by the entry at the top that it stands in."""
    units: dict[str, list[SourceFile]] = {}
    for file in read.files:
        if file.path.lower().endswith(CODE):
            units.setdefault(PurePosixPath(file.path).parts[0], []).append(_as_module(file))
    return units


def _as_module(file: SourceFile) -> SourceFile:
    if not file.path.lower().endswith(".ipynb"):
        return file
    try:
        return SourceFile(file.path, read_notebook(file.data).source)
    except SubmissionError:
        return SourceFile(file.path, b"")


def _is_whole(files: Sequence[SourceFile]) -> bool:
    places = work_places(Program(Submission("", "", "", tuple(files), "")))
    return any(place.transposes and not place.torch for place in places)


def _are_versions(names: Sequence[str]) -> bool:
    """Whether names differ by nothing but numbers."""
    return len({VERSION.sub("", PurePosixPath(name).stem.lower()) for name in names}) < len(names)


def _import_each_other(units: Mapping[str, Sequence[SourceFile]]) -> bool:
    modules = {PurePosixPath(name).stem: name for name in units}
    return any(
        modules.get(module.partition(".")[0], name) != name
        for name, files in units.items()
        for file in files
        for module in file_facts(file).takes
    )
