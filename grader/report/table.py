"""`result_json` dictionaries → `scores.csv`."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from grader.report.escape import visible
from grader.report.overview import is_decided, name_of
from grader.scoring import display_percent

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet evaluate a cell (OWASP, "CSV Injection"), full width included."""

FIXED_COLUMNS = ("id", "name", "status", "score", "max_score", "percent", "band")


def write_csv(rows: Sequence[Mapping[str, Any]], stream: TextIO) -> None:
    """One line a submission; open `stream` with ``newline=""``.

    Score, percent and parts are empty while undecided: an unknown score is not a zero.
    """
    parts = tuple(dict.fromkeys(str(part["id"]) for row in rows for part in row["parts"]))
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([cell(name) for name in (*FIXED_COLUMNS, *parts)])
    for row in rows:
        writer.writerow(_line(row, parts))


def cell(text: str) -> str:
    """`text` as a spreadsheet shows it: never evaluated, on one line, nothing hidden."""
    guard = "'" if text.startswith(FORMULA_STARTS) or text.strip()[:1] in FORMULA_STARTS else ""
    return guard + visible(text, multiline=False)


def _line(row: Mapping[str, Any], parts: Sequence[str]) -> list[str | float]:
    decided = is_decided(row)
    points = {str(part["id"]): float(part["points"]) for part in row["parts"]}
    score, maximum = float(row["score"]), float(row["max_score"])
    return [
        cell(str(row["submission"]["id"])),
        cell(name_of(row)),
        cell(str(row["status"])),
        score if decided else "",
        maximum,
        display_percent(score, maximum) if decided else "",
        cell(str(row["band"] or "")) if decided else "",
        *(points.get(part, "") if decided else "" for part in parts),
    ]
