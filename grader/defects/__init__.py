"""The kinds of mistakes that the grader knows: one declaration each, in a file a family."""

from collections.abc import Mapping

from grader.defects.bias import BIAS
from grader.defects.conduct import CONDUCT
from grader.defects.differences import DIFFERENCES
from grader.defects.forward import FORWARD
from grader.defects.gradient import GRADIENT
from grader.defects.intake import INTAKE
from grader.defects.kind import Centrality, Kind, Repeat, Sighting, Within
from grader.defects.loss import LOSS
from grader.defects.pytorch import PYTORCH
from grader.defects.relu import RELU
from grader.defects.softmax import SOFTMAX
from grader.defects.verify import VERIFY

KINDS: tuple[Kind, ...] = (
    *INTAKE,
    *FORWARD,
    *SOFTMAX,
    *LOSS,
    *RELU,
    *BIAS,
    *GRADIENT,
    *CONDUCT,
    *PYTORCH,
    *VERIFY,
    *DIFFERENCES,
)

BY_CODE: Mapping[str, Kind] = {kind.code: kind for kind in KINDS}

__all__ = ["BY_CODE", "KINDS", "Centrality", "Kind", "Repeat", "Sighting", "Within"]
