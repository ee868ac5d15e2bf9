"""The rows of a written table, and whether a spreadsheet evaluates none."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from grader.report.table import FORMULA_STARTS


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, strict=True))


def inert(cells: list[str]) -> bool:
    """Whether a spreadsheet shows all of these as text or numbers, and nothing is hidden."""
    numbers = re.compile(r"-?\d+(\.\d+)?")
    texts = [cell for cell in cells if cell and not numbers.fullmatch(cell)]
    return all(
        not text.startswith(FORMULA_STARTS) and not re.search(r"[\x00-\x1f\u202e]", text)
        for text in texts
    )
