"""Findings, fault table and trace → named defects with their lines. Measures nothing."""

from grader.diagnosis.annotate import annotated
from grader.diagnosis.diagnose import Diagnosis, call_defects, diagnose
from grader.diagnosis.graph import network
from grader.diagnosis.predictions import Predictions
from grader.diagnosis.unjudged import set_aside, unjudged

__all__ = [
    "Diagnosis",
    "Predictions",
    "annotated",
    "call_defects",
    "diagnose",
    "network",
    "set_aside",
    "unjudged",
]
