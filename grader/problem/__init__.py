"""What is being graded, as pure numerics: cases, the oracle, the tolerances.

No submission is in sight here; nothing in this room knows that anyone answered.
"""

from grader.problem.exam import Exam, Expected, Paper, set_paper
from grader.problem.stacks import Stack, StackAnswers

__all__ = ["Exam", "Expected", "Paper", "Stack", "StackAnswers", "set_paper"]
