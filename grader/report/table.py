"""`scores.csv`, from stored results."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Sequence
from typing import TextIO

from grader.report.escape import visible
from grader.report.numbers import display_percent
from grader.report.stored import Document, is_decided, name_of, score_in, unjudged_parts

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet evaluate a cell (OWASP, "CSV Injection"), full width included."""

FIXED_COLUMNS = ("id", "name", "status", "score", "max_score", "percent", "band")


def write_csv(rows: Collection[Document], stream: TextIO) -> None:
    """Write one line a submission; open `stream` with ``newline=""``. Goes through the rows twice.

    Score, percent and parts are empty without a score, and so is a part that nobody has judged:
    what is not known is no zero.
    """
    parts = part_ids(rows)
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([cell(name) for name in (*FIXED_COLUMNS, *parts)])
    for row in rows:
        fixed, points = table_line(row, parts)
        writer.writerow([*fixed, *points])


def part_ids(rows: Iterable[Document]) -> tuple[str, ...]:
    """Return the ids of all parts, in the order in which they are met."""
    return tuple(dict.fromkeys(str(part["id"]) for row in rows for part in row["parts"]))


def cell(text: str) -> str:
    """Return `text` as a spreadsheet shows it: never evaluated, on one line, nothing hidden."""
    guard = "'" if text.startswith(FORMULA_STARTS) or text.strip()[:1] in FORMULA_STARTS else ""
    return guard + visible(text, multiline=False)


def table_line(row: Document, parts: Sequence[str]) -> tuple[list[str | float], list[str | float]]:
    """Return the cells of `FIXED_COLUMNS`, and the points of each part."""
    decided = is_decided(row)
    left = [part["id"] for part in unjudged_parts(row)]
    points = {
        str(part["id"]): float(part["points"]) for part in row["parts"] if part["id"] not in left
    }
    score, maximum = score_in(row), float(row["max_score"])
    fixed: list[str | float] = [
        cell(str(row["submission"]["id"])),
        cell(name_of(row)),
        cell(str(row["status"])),
        score if decided else "",
        maximum,
        display_percent(score, maximum) if decided else "",
        cell(str(row["band"] or "")) if decided else "",
    ]
    return fixed, [points.get(part, "") if decided else "" for part in parts]
