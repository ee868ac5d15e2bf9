"""Moodle's offline grading worksheet: grade and feedback are filled in, nothing else changes.

Moodle knows a row by its first column (“Participant 1234”), reads grades with the decimal sign
of the teacher's language, ignores those above the maximum, and compares “Last modified (grade)”
with its own record; so every other cell is written back unchanged. Feedback is shown as HTML.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.cohort.store import writing_whole
from grader.errors import CallerError
from grader.export.entry import Done, Job, feedback, identity, scaled
from grader.report.escape import visible
from grader.report.stored import fraction_of
from grader.report.table import FORMULA_STARTS
from grader.review import Reviewed

IDENTIFIER, NAME, GRADE = "identifier", "full name", "grade"
MAXIMUM, COMMENTS, CHANGEABLE = "maximum grade", "feedback comments", "grade can be changed"
NUMBER = re.compile(r"(?<!\d)(\d++)\s*+$")
LOCKED = ("no",)
MOST_BYTES = 64 << 20
MOST_LETTERS = 20_000


@dataclass(frozen=True, slots=True)
class Worksheet:
    """The file as it was read: rows of cells, the head apart, and where each column stands."""

    head: list[str]
    rows: list[list[str]]
    columns: Mapping[str, int]
    mark: str

    def cell(self, row: Sequence[str], column: str) -> str:
        """Return what stands there, "" where the row or the head is shorter."""
        at = self.columns.get(column, len(row))
        return row[at] if at < len(row) else ""


def write(job: Job) -> Done:
    """Fill in the worksheet. Raises `CallerError` without one, or when it is none."""
    if job.worksheet is None:
        raise CallerError(
            "moodle needs the worksheet that it is to fill in: --worksheet FILE "
            "(in the assignment: View all submissions, Download grading worksheet)"
        )
    sheet = read_worksheet(job)
    people = _people(job)
    used: set[str] = set()
    left_out = []
    for row in sheet.rows:
        reviewed = _match(sheet, row, people)
        if reviewed is None:
            continue
        used.add(reviewed.id)
        why = _fill(sheet, row, reviewed)
        if why:
            left_out.append(f"{reviewed.id} {why}")
    left_out += [f"{id} is not in the worksheet" for id in job.folder.paths if id not in used]
    with writing_whole(job.output) as stream:
        stream.write(sheet.mark)
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(sheet.head)
        writer.writerows(sheet.rows)
    return Done(job.output, len(used), tuple(left_out))


def read_worksheet(job: Job) -> Worksheet:
    """Return the worksheet's cells. Raises `CallerError` when it cannot be read as one."""
    path = job.worksheet
    assert path is not None
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES)
        text = data.decode("utf-8")
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        rows = list(csv.reader(io.StringIO(text.removeprefix(mark), newline=""), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise CallerError(f"{path} cannot be read as a worksheet: {error}") from error
    head = rows[0] if rows else []
    columns = {name.strip().lower(): at for at, name in reversed(list(enumerate(head)))}
    missing = [name for name in (IDENTIFIER, GRADE) if name not in columns]
    if missing:
        raise CallerError(
            f"{path} has no column {' and no column '.join(map(repr, missing))} among "
            f"{', '.join(head[:20]) or 'nothing'}; download it with the site in English"
        )
    return Worksheet(head, rows[1:], columns, mark)


def _people(job: Job) -> dict[str, list[Reviewed]]:
    """Return submissions by the participant's number, and by name in lower case."""
    people: dict[str, list[Reviewed]] = {}
    for reviewed in job.folder.all_reviewed():
        _, name, who = identity(reviewed.document)
        for key in dict.fromkeys((f"#{who}", name.strip().lower())):
            people.setdefault(key, []).append(reviewed)
    return people


def _match(
    sheet: Worksheet, row: Sequence[str], people: Mapping[str, list[Reviewed]]
) -> Reviewed | None:
    """Return whose row it is: by number, else by a name that one candidate alone has."""
    number = NUMBER.search(sheet.cell(row, IDENTIFIER))
    if number and (same := people.get(f"#{number[1]}")):
        return same[0]
    called = people.get(sheet.cell(row, NAME).strip().lower(), [])
    known = [r for r in called if not identity(r.document)[2].isdigit()]
    return known[0] if len(known) == 1 else None


def _fill(sheet: Worksheet, row: list[str], reviewed: Reviewed) -> str:
    """Put grade and feedback in their cells; gives why not, "" when it did."""
    share = fraction_of(reviewed.document)
    if share is None:
        return f"is {reviewed.document['status']}, so its grade stays as it was"
    if sheet.cell(row, CHANGEABLE).strip().lower() in LOCKED:
        return "has a grade that Moodle does not let change"
    maximum = sheet.cell(row, MAXIMUM).strip()
    comma = "," in maximum and "." not in maximum
    try:
        full = float(maximum.replace(",", ".") or float(reviewed.document["max_score"]))
    except ValueError:
        return f"is graded on a scale ({visible(maximum)[:40]}), not in points"
    row += [""] * (len(sheet.head) - len(row))
    grade = scaled(share, full)
    row[sheet.columns[GRADE]] = grade.replace(".", ",") if comma else grade
    if COMMENTS in sheet.columns:
        row[sheet.columns[COMMENTS]] = _comments(reviewed)
    return ""


def _comments(reviewed: Reviewed) -> str:
    """Return the feedback as HTML of our own, in which nothing of anybody else's is HTML."""
    lines = [html.escape(visible(line, multiline=False)) for line in feedback(reviewed)]
    shortened: list[str] = []
    for line in lines:
        if sum(map(len, shortened)) + len(line) > MOST_LETTERS:
            shortened.append("…")
            break
        shortened.append(line)
    text = "<br>".join(shortened)
    return f"&#8203;{text}" if text.startswith(FORMULA_STARTS) else text
