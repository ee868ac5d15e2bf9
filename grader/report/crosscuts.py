"""Dimensions that are shown row by row: each row's checks with their states."""

from __future__ import annotations

from dataclasses import dataclass

from grader.records import CheckGrade, Grade


@dataclass(frozen=True, slots=True)
class Row:
    """One row: how many of its checks passed of those that ran, and the checks."""

    title: str
    passed: int
    total: int
    checks: tuple[CheckGrade, ...]


@dataclass(frozen=True, slots=True)
class Crosscut:
    """One dimension with rows."""

    id: str
    title: str
    rows: tuple[Row, ...]


def crosscuts(grade: Grade) -> tuple[Crosscut, ...]:
    """The dimensions of a grade that have rows, such as the pitfalls."""
    known = {check.id: check for check in grade.checks}
    return tuple(
        Crosscut(
            dimension.id,
            dimension.title,
            tuple(
                Row(g.title, g.passed, g.total, tuple(known[c] for c in g.checks if c in known))
                for g in dimension.groups
            ),
        )
        for dimension in grade.dimensions
        if dimension.groups
    )
