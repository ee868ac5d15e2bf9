"""The records that the recognisers of export layouts return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grader.intake.exports.container import CohortContainer, ContainerEntry
from grader.intake.handed import Handed
from grader.records import Submission


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. `who` identifies the candidate in the export, `name` is for people.

    `pieces` are files and folders with what they are called in the submission (for a
    folder what stands before the names of its files). Of several attempts of one
    candidate the one with the greatest `order` counts. `passed_over` are earlier
    versions, with the reason. `label` is what an id begins with, "" for the name.
    """

    who: str
    name: str
    pieces: tuple[tuple[ContainerEntry, str], ...]
    order: tuple[object, ...] = ()
    passed_over: tuple[str, ...] = ()
    label: str = ""

    @property
    def path(self) -> str:
        """Return the path of its first piece."""
        return self.pieces[0][0].path if self.pieces else ""


MOST = 0.8
"""Share of the entries whose names must be of a system's form: one alone says nothing."""

Recogniser = Callable[[CohortContainer, str], "list[Attempt] | None"]
"""What was handed in below a folder of the place (it ends in a slash; "" is the top), or None."""


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """How one system exports a cohort."""

    name: str
    recognise: Recogniser


@dataclass(frozen=True, slots=True)
class CohortEntry:
    """One submission of a cohort. `collect` reads its bytes."""

    id: str
    name: str
    path: Path
    collect: Callable[[], Handed]

    def read(self) -> Submission:
        """Return the submission, read and taken in."""
        return self.collect().take_in()


@dataclass(frozen=True, slots=True)
class Cohort:
    """All submissions found, in the order of their names; and what was left out, and why.

    `alike` are groups of names that a reader takes for one another.
    """

    layout: str
    entries: tuple[CohortEntry, ...]
    left_out: tuple[str, ...]
    alike: tuple[tuple[str, ...], ...] = ()


def folder(entry: ContainerEntry) -> tuple[tuple[ContainerEntry, str], ...]:
    """Return a folder as the whole of a submission."""
    return ((entry, ""),)
