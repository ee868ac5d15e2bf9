"""The records that travel down the line, in the order in which they arise.

    path → Submission → Observations → Findings → Defects → Grade → pages

All are frozen and complete at birth; every status is an enum. Arrays inside
them are read-only.
"""

from grader.records.arrays import TENSORS, Array, read_only
from grader.records.case import Case
from grader.records.correction import Correction
from grader.records.defect import Confidence, Defect, Part, Repair, Severity, Where
from grader.records.finding import CheckStatus, Evidence, Finding, Mismatch
from grader.records.grade import (
    Charge,
    CheckGrade,
    DimensionGrade,
    DimensionGroup,
    Grade,
    GradeStatus,
    ItemGrade,
    MistakeGrade,
    OwnVerdict,
    PartGrade,
)
from grader.records.observation import (
    Ended,
    Frame,
    FunctionOutline,
    LayerNames,
    LoadNote,
    Observation,
    Observations,
    ProcessReport,
)
from grader.records.result import Annotation, Curve, ErrorMap, GraphNode, Pictures, Result, Standing
from grader.records.submission import SourceFile, Submission, WrittenAnswer
from grader.records.unjudged import CallAttempt, Unjudged, UnjudgedReason

__all__ = [
    "TENSORS",
    "Annotation",
    "Array",
    "CallAttempt",
    "Case",
    "Charge",
    "CheckGrade",
    "CheckStatus",
    "Confidence",
    "Correction",
    "Curve",
    "Defect",
    "DimensionGrade",
    "DimensionGroup",
    "Ended",
    "ErrorMap",
    "Evidence",
    "Finding",
    "Frame",
    "FunctionOutline",
    "Grade",
    "GradeStatus",
    "GraphNode",
    "ItemGrade",
    "LayerNames",
    "LoadNote",
    "Mismatch",
    "MistakeGrade",
    "Observation",
    "Observations",
    "OwnVerdict",
    "Part",
    "PartGrade",
    "Pictures",
    "ProcessReport",
    "Repair",
    "Result",
    "Severity",
    "SourceFile",
    "Standing",
    "Submission",
    "Unjudged",
    "UnjudgedReason",
    "Where",
    "WrittenAnswer",
    "read_only",
]
