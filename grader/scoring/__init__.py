"""The `Grade` of findings under a rubric."""

from grader.scoring.grade import Declaration, grade

__all__ = ["Declaration", "grade"]
