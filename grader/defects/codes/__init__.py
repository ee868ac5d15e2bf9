"""Every defect code, once: reports take their hints from here, and `grader explain` its text."""

from grader.defects.codes.code import Area, Code
from grader.defects.codes.codes_backward import BACKWARD
from grader.defects.codes.codes_backward_layers import BACKWARD_LAYERS
from grader.defects.codes.codes_forward import FORWARD
from grader.defects.codes.codes_intake import INTAKE
from grader.defects.codes.codes_pytorch import PYTORCH
from grader.defects.codes.codes_verification import VERIFICATION

CODES: tuple[Code, ...] = (
    *INTAKE,
    *FORWARD,
    *BACKWARD,
    *BACKWARD_LAYERS,
    *PYTORCH,
    *VERIFICATION,
)

__all__ = ["CODES", "Area", "Code"]
