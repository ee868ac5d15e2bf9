"""The `Grade` of findings under a rubric."""

from grader.scoring.corrected import correction_charges
from grader.scoring.grade import Declaration, grade, with_score, without_score

__all__ = ["Declaration", "correction_charges", "grade", "with_score", "without_score"]
