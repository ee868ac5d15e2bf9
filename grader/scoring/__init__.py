"""Findings and rubric → `Grade`."""

from grader.scoring.display import display_percent, display_score
from grader.scoring.grade import CheckLike, grade

__all__ = ["CheckLike", "display_percent", "display_score", "grade"]
