"""Read a `Rubric` from YAML; every error has its file and line."""

from grader.rubric.contract import Contract
from grader.rubric.load import (
    holds_contract_alone,
    load_contract,
    load_rubric,
    parse_contract,
    parse_rubric,
    rubric_schema,
)
from grader.rubric.model import Band, Deductions, Dimension, Factors, Gate, Item, Part, Rubric, Tier
from grader.rubric.warnings import warnings

__all__ = [
    "Band",
    "Contract",
    "Deductions",
    "Dimension",
    "Factors",
    "Gate",
    "Item",
    "Part",
    "Rubric",
    "Tier",
    "holds_contract_alone",
    "load_contract",
    "load_rubric",
    "parse_contract",
    "parse_rubric",
    "rubric_schema",
    "warnings",
]
