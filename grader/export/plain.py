"""`csv`, the table of `scores.csv` with the marks of humans in it; `json`, every result in full."""

from __future__ import annotations

import csv
import json
from typing import Any

from grader import __version__
from grader.cohort.store import writing_whole
from grader.export.entry import Done, Job, people
from grader.report.stored import is_decided
from grader.report.table import FIXED_COLUMNS, cell, part_ids, table_line
from grader.review import Reviewed

REVIEW_COLUMNS = ("automatic_score", "open_points", "marks_to_confirm", "reviewers", "who")


def write_table(job: Job) -> Done:
    """Return one line a candidate, so several of a group; what is not known is empty."""
    count = 0
    parts = part_ids(job.folder.result(id) for id in job.folder.paths)
    with writing_whole(job.output) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([cell(name) for name in (*FIXED_COLUMNS, *REVIEW_COLUMNS, *parts)])
        for reviewed in job.folder.all_reviewed():
            fixed, points = table_line(reviewed.document, parts)
            for _, who in people(reviewed.document):
                writer.writerow([*fixed, *_review(reviewed), cell(who), *points])
            count += 1
    return Done(job.output, count)


def write_json(job: Job) -> Done:
    """Return every `result.json` with the marks in it; its key `review` tells both sides apart."""
    count = 0
    head = json.dumps({"schema_version": 1, "grader_version": __version__})
    with writing_whole(job.output) as stream:
        stream.write(head.removesuffix("}") + ', "results": [')
        for reviewed in job.folder.all_reviewed():
            document = {k: v for k, v in reviewed.document.items() if k != "sources"}
            stream.write(("," if count else "") + "\n" + json.dumps(document, allow_nan=False))
            count += 1
        stream.write("\n]}\n")
    return Done(job.output, count)


def _review(reviewed: Reviewed) -> list[Any]:
    automatic = reviewed.automatic
    who = dict.fromkeys(s.change.who for s in reviewed.judged.values())
    return [
        automatic["score"] if is_decided(automatic) else "",
        reviewed.document["open_points"],
        reviewed.waiting,
        cell(", ".join(who)),
    ]
