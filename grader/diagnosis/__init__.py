"""Findings, fault table and trace → named defects with their lines. Measures nothing."""

from grader.diagnosis.annotate import annotated
from grader.diagnosis.diagnose import Diagnosis, diagnose
from grader.diagnosis.graph import network
from grader.diagnosis.match import Predictions
from grader.diagnosis.process import process_defects

__all__ = [
    "Diagnosis",
    "Predictions",
    "annotated",
    "diagnose",
    "network",
    "process_defects",
]
