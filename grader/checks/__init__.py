"""One function a check: observations in, a finding out. Measures, never guesses why."""

from grader.checks.backward import BACKWARD
from grader.checks.check import Check, finding_of
from grader.checks.differences import DIFFERENCES
from grader.checks.forward import FORWARD, loads
from grader.checks.layers import LAYERS
from grader.checks.pytorch import PYTORCH
from grader.checks.refusal import REFUSAL
from grader.checks.run import run_checks
from grader.checks.stated import STATED
from grader.checks.verification import VERIFICATION
from grader.checks.view import View

ALL_CHECKS: tuple[Check, ...] = (
    loads,
    *FORWARD,
    *BACKWARD,
    *PYTORCH,
    *VERIFICATION,
    *REFUSAL,
    *DIFFERENCES,
    *STATED,
    *LAYERS,
)

__all__ = ["ALL_CHECKS", "Check", "View", "finding_of", "run_checks"]
