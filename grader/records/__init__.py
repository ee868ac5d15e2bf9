"""The records that travel down the line, in the order in which they arise.

    path → Submission → Observations → Findings → Defects → Grade → pages

All are frozen and complete at birth; every status is an enum. Arrays inside
them are read-only.
"""

from grader.records.arrays import TENSORS, Array, read_only
from grader.records.found import CheckStatus, Confidence, Defect, Evidence, Finding, Mend, Severity
from grader.records.given import Case, SourceFile, Submission, WrittenAnswer
from grader.records.result import Annotation, Curve, ErrorMap, GraphNode, Pictures, Result, Standing
from grader.records.seen import Ended, Frame, Observation, Observations, ProcessReport
from grader.records.worth import (
    Charge,
    CheckGrade,
    DimensionGrade,
    DimensionGroup,
    Grade,
    GradeStatus,
    ItemGrade,
    PartGrade,
)

__all__ = [
    "TENSORS",
    "Annotation",
    "Array",
    "Case",
    "Charge",
    "CheckGrade",
    "CheckStatus",
    "Confidence",
    "Curve",
    "Defect",
    "DimensionGrade",
    "DimensionGroup",
    "Ended",
    "ErrorMap",
    "Evidence",
    "Finding",
    "Frame",
    "Grade",
    "GradeStatus",
    "GraphNode",
    "ItemGrade",
    "Mend",
    "Observation",
    "Observations",
    "PartGrade",
    "Pictures",
    "ProcessReport",
    "Result",
    "Severity",
    "SourceFile",
    "Standing",
    "Submission",
    "WrittenAnswer",
    "read_only",
]
