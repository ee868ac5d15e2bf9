"""Findings and rubric → `Grade`."""

from grader.scoring.grade import Declaration, grade

__all__ = ["Declaration", "grade"]
