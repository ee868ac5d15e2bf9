"""A path becomes a `Submission`: bytes read once, under limits, with a safe name.

Nothing is executed, extracted to disk or parsed as code here.
"""

from grader.intake.exports import find_cohort
from grader.intake.exports.attempt import Cohort, CohortEntry
from grader.intake.find import take_in
from grader.intake.handed import Handed
from grader.intake.identity import safe_id
from grader.intake.several import several_answers

__all__ = [
    "Cohort",
    "CohortEntry",
    "Handed",
    "find_cohort",
    "safe_id",
    "several_answers",
    "take_in",
]
