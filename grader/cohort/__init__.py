"""Grading of cohorts, and the engine that grades one submission."""

from grader.cohort.engine import Engine, Settings

__all__ = ["Engine", "Settings"]
