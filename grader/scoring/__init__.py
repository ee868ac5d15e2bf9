"""The `Grade` of findings under a rubric."""

from grader.scoring.grade import Declaration, grade, with_score, without_score

__all__ = ["Declaration", "grade", "with_score", "without_score"]
