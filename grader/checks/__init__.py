"""One function a check: observations in, a finding out. Measures, never guesses why."""

from grader.checks.backward import BACKWARD
from grader.checks.check import Check
from grader.checks.differences import DIFFERENCES
from grader.checks.forward import FORWARD, loads
from grader.checks.layers import LAYERS
from grader.checks.pytorch import PYTORCH
from grader.checks.run import run_checks
from grader.checks.shapes import EXPLANATIONS
from grader.checks.trials import TRIALS
from grader.checks.verification import VERIFICATION
from grader.checks.view import View

ALL_CHECKS: tuple[Check, ...] = (
    *(loads, *FORWARD, *BACKWARD, *PYTORCH, *VERIFICATION, *TRIALS),
    *(*DIFFERENCES, *EXPLANATIONS, *LAYERS),
)

__all__ = ["ALL_CHECKS", "Check", "View", "run_checks"]
