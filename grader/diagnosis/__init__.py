"""Findings, fault table and trace → named defects with their lines. Measures nothing."""

from grader.defects.signs.calls import process_defects
from grader.diagnosis.annotate import annotated
from grader.diagnosis.diagnose import Diagnosis, diagnose
from grader.diagnosis.graph import network
from grader.diagnosis.predictions import Predictions

__all__ = ["Diagnosis", "Predictions", "annotated", "diagnose", "network", "process_defects"]
