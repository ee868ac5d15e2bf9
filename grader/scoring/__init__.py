"""Findings and rubric → `Grade`."""

from grader.scoring.grade import CheckLike, Declaration, grade

__all__ = ["CheckLike", "Declaration", "grade"]
