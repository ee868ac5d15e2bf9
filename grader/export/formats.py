"""The formats, by name: what each is for, and where its file goes unless one says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.errors import CallerError
from grader.export import canvas, gradescope, junit, moodle, plain
from grader.export.entry import Done, Job, Writer
from grader.review import Folder


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `output` is the name beside the results, `about` what it is for."""

    name: str
    output: str
    about: str
    write: Writer


FORMATS = (
    Format("csv", "marks.csv", "a table for spreadsheets", plain.write_table),
    Format("json", "marks.json", "every result with the humans' marks", plain.write_json),
    Format("gradescope", "gradescope", "results.json each, and an autograder", gradescope.write),
    Format("canvas", "canvas.csv", "a gradebook to import", canvas.write),
    Format("moodle", "moodle.csv", "the grading worksheet, filled in", moodle.write),
    Format("junit", "junit.xml", "test results for CI", junit.write),
)


def export(
    folder: Folder,
    name: str,
    output: Path | None,
    *,
    worksheet: Path | None = None,
    assignment: str = "",
) -> Done:
    """Write the results in `folder` in the format called `name`.

    Raises `CallerError` when there is no such format, or when it lacks what it needs.
    """
    chosen = next((f for f in FORMATS if f.name == name), None)
    if chosen is None:
        known = ", ".join(f.name for f in FORMATS)
        raise CallerError(f"--to takes one of {known}, not {name!r}")
    where = output if output is not None else folder.out / chosen.output
    return chosen.write(Job(folder, where, worksheet, assignment))
