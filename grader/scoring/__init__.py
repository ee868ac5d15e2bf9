"""The `Grade` of findings under a rubric."""

from grader.scoring.corrected import correction_charges
from grader.scoring.grade import Declaration, grade

__all__ = ["Declaration", "correction_charges", "grade"]
