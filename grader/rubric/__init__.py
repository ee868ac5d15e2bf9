"""YAML → `Rubric`, every error with file and line."""

from grader.rubric.load import load_rubric, parse_rubric, rubric_schema
from grader.rubric.model import Band, Deductions, Dimension, Gate, Item, Part, Rubric, Tier

__all__ = [
    "Band",
    "Deductions",
    "Dimension",
    "Gate",
    "Item",
    "Part",
    "Rubric",
    "Tier",
    "load_rubric",
    "parse_rubric",
    "rubric_schema",
]
