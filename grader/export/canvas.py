"""A gradebook that Canvas imports: its five columns on the student, one on the assignment.

Canvas finds the student by ID, then by SIS IDs, then by name; the assignment by the number in
parentheses, then by title. Any row whose first cell contains “Points Possible” sets what an
assignment is worth, so no candidate may be called that.
"""

from __future__ import annotations

import csv
import re

from grader.cohort.store import writing_whole
from grader.export.entry import Done, Job, identity, people, scaled, unscored
from grader.report.stored import fraction_of
from grader.report.table import cell

COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POINTS_ROW = "    Points Possible"
RESERVED = re.compile(r"points(?=\s+possible)", re.IGNORECASE)
NUMBER = re.compile(r"\d{1,20}")


def write(job: Job) -> Done:
    """Return one row a student. Who has no score has none there: Canvas leaves theirs as it is."""
    documents = (job.folder.reviewed(id).document for id in job.folder.paths)
    most = max((float(d["max_score"]) for d in documents), default=0.0)
    count, left_out = 0, []
    with writing_whole(job.output) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        title = job.assignment
        for reviewed in job.folder.all_reviewed():
            document = reviewed.document
            if not count:
                title = title or str(document["rubric"].get("title") or "Backprop")
                writer.writerow([*COLUMNS, cell(title)])
                writer.writerow([POINTS_ROW, "", "", "", "", scaled(1.0, most)])
            share = fraction_of(document)
            if share is None:
                left_out.append(unscored(identity(document)[0], document))
            score = "" if share is None else scaled(share, most)
            for name, who in people(document):
                number, login = (who, "") if NUMBER.fullmatch(who) else ("", who)
                student = cell(RESERVED.sub("Points-", name))
                writer.writerow([student, number, "", cell(login), "", score])
            count += 1
    return Done(job.output, count, tuple(left_out))
