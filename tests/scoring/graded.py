"""Rubrics of a few items, and what they are graded."""

from __future__ import annotations

from dataclasses import dataclass

from grader.records import CheckStatus, Finding
from grader.rubric import Item, Part, Rubric
from grader.scoring import grade

PASS, FAIL = CheckStatus.PASS, CheckStatus.FAIL


SKIPPED, ERROR, MANUAL = CheckStatus.SKIPPED, CheckStatus.ERROR, CheckStatus.MANUAL


@dataclass(frozen=True)
class Declared:
    id: str

    @property
    def title(self) -> str:
        return f"Title of {self.id}"

    @property
    def hint(self) -> str:
        return f"Mend {self.id}"

    @property
    def part(self) -> str:
        return self.id[0]


def item(name, points, checks="", **more):
    return Item(id=name, title=name, points=points, checks=tuple(checks.split()), **more)


def rubric(*items, **more):
    """A rubric with a part for each item."""
    parts = tuple(Part(id=f"part-{i.id}", title=i.id, items=(i,)) for i in items)
    return Rubric("r", "R", "sha256:0", parts, **more)


def graded(a_rubric, declared=(), **statuses):
    findings = [Finding(check, status, f"{check} said") for check, status in statuses.items()]
    ids = {*statuses, *declared}
    return grade(a_rubric, findings, {check: Declared(check) for check in sorted(ids)})


def points(result):
    return {check.id: (check.points, check.max_points) for check in result.checks}
