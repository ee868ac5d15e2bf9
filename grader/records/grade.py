"""What it is worth: points by check, item, part and dimension."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from grader.records.finding import CheckStatus, Evidence


class GradeStatus(StrEnum):
    """`undecided` is the grader's fault; `unjudged` is nobody's, and a person has to look at it."""

    GRADED = "graded"
    UNDECIDED = "undecided"
    UNJUDGED = "unjudged"


class OwnVerdict(StrEnum):
    """What a submission's own verification says of its own two sides, as handed in."""

    AGREES = "agrees"
    DIFFERS = "differs"
    RAISES = "raises"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class CheckGrade:
    """A finding with the points its rubric gives it; a `manual` item stands here too."""

    id: str
    title: str
    part: str
    status: CheckStatus
    points: float
    max_points: float
    message: str
    hint: str = ""
    explained_by: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemGrade:
    """One line of the rubric: its points, and the checks it rests on.

    `open` when a human has to mark it and has not; then `points` is 0 and does not count.
    `given_back` is the share of `points` that its checks did not earn: a proven
    defect explains why they did not pass, and is charged once, in `Grade.charges`.
    `question` is the follow-up question whose written answer is shown beside it, 0 for none.
    """

    id: str
    title: str
    points: float
    max_points: float
    checks: tuple[str, ...]
    open: bool = False
    bonus: bool = False
    guidance: tuple[str, ...] = ()
    given_back: float = 0.0
    question: int = 0


@dataclass(frozen=True, slots=True)
class PartGrade:
    """`points` of `max_points` are decided; `open_points` wait for a human."""

    id: str
    title: str
    points: float
    max_points: float
    open_points: float
    items: tuple[ItemGrade, ...]


@dataclass(frozen=True, slots=True)
class DimensionGroup:
    """One row of a dimension: what its checks say together."""

    title: str
    passed: int
    total: int
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DimensionGrade:
    """A cross-cut through all parts: how many of its checks passed, of those that ran.

    `groups` are its rows, where the rubric has it shown row by row.
    """

    id: str
    title: str
    passed: int
    total: int
    checks: tuple[str, ...]
    groups: tuple[DimensionGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Charge:
    """What the proven defect `code` costs: `points`, once, however many checks it fails."""

    code: str
    points: float


@dataclass(frozen=True, slots=True)
class MistakeGrade:
    """What one mistake leaves of the score: the rubric's `factor`, by name, to a `power`.

    `code` is "" where no defect has it; `says` is a sentence for the reader of a report.
    """

    code: str
    factor: str
    power: float
    left: float
    says: str


@dataclass(frozen=True, slots=True)
class Grade:
    """`score` of `max_score` automatic points; `open_points` more wait for a human's marks.

    `band` is None unless graded, or when the rubric has none. Where it is unjudged, `score`
    counts for nothing. `gates` are the sentences of the gates that capped the score; `mistakes`
    say what each mistake leaves of it under `charge: by_centrality`, and `charges` what each
    defect costs in points. `corrected` is what slips cost that were corrected before the answer
    was graded; it is in `score` and in `charges`.
    """

    status: GradeStatus
    score: float
    max_score: float
    open_points: float
    band: str | None
    parts: tuple[PartGrade, ...]
    checks: tuple[CheckGrade, ...]
    dimensions: tuple[DimensionGrade, ...]
    gates: tuple[str, ...] = ()
    charges: tuple[Charge, ...] = ()
    mistakes: tuple[MistakeGrade, ...] = ()
    corrected: tuple[Charge, ...] = ()

    @property
    def unjudged(self) -> float:
        """Points of `max_score` that no check could decide, and that a person may still give."""
        return float(sum(self.unjudged_in(part) for part in self.parts))

    def unjudged_in(self, part: PartGrade) -> float:
        """Return the points of one part that no check could decide."""
        counted = {check for item in part.items if not item.bonus for check in item.checks}
        left = (
            check
            for check in self.checks
            if check.status is CheckStatus.MANUAL and check.part == part.id and check.id in counted
        )
        return float(sum(check.max_points for check in left))

    @property
    def fraction(self) -> float:
        """Score as a share of the decided points, in [0, 1]; 0 when nothing is decided."""
        return min(1.0, max(0.0, self.score / self.max_score)) if self.max_score > 0 else 0.0
