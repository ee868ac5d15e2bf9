"""Many submissions, and the machinery that one submission needs as well: the engine."""

from grader.cohort.engine import Engine, Settings

__all__ = ["Engine", "Settings"]
