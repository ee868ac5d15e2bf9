"""The smallest edit that makes a wrong answer right, found by trying and proven by the checks."""

from grader.repair.correction import Corrected, CorrectionBench, corrected
from grader.repair.proof import Workbench, repaired

__all__ = ["Corrected", "CorrectionBench", "Workbench", "corrected", "repaired"]
