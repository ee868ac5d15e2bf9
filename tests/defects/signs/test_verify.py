"""Defects of a verification: the code, its tensors and its line, on shipped samples."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from grader.cohort import Engine
from grader.intake import take_in
from grader.records import Confidence
from tests.sandbox.confined import linux_only

ROOT = Path(__file__).parents[3]
TENSORS = ("W1", "b1", "W2", "b2", "X")
SAMPLES = {
    "ingrid-solberg": ("verify-always-true", ()),
    "tomasz-nowak": ("verify-always-true", ()),
    "pedro-carvalho": ("verify-partial", ("b1", "b2", "X")),
    "leila-farahani": ("verify-loose-tolerance", TENSORS),
    "sven-lindgren": ("verify-rejects-correct", ()),
    "oliver-grant": ("verify-rejects-correct", ()),
    "nadia-benali": ("verify-different-inputs", ("W1", "b1", "W2", "b2")),
}


@linux_only
@pytest.mark.parametrize("name", SAMPLES)
def test_code_tensors_and_line(name: str, engine: Engine) -> None:
    code, tensors = SAMPLES[name]
    folder = ROOT / "submissions" / name
    expected = yaml.safe_load((folder / "expected.yaml").read_text())
    (defect,) = (d for d in engine.grade(take_in(folder)).defects if d.code.startswith("verify-"))
    assert (defect.code, defect.tensors, defect.confidence) == (code, tensors, Confidence.PROVEN)
    assert (defect.file, defect.line) == ("solution.py", expected["lines"][code])
    lines = (folder / "solution.py").read_text().splitlines()
    assert defect.source == lines[defect.line - 1].strip()


@linux_only
def test_the_message_says_how_much_passes(engine: Engine) -> None:
    result = engine.grade(take_in(ROOT / "submissions" / "leila-farahani"))
    (defect,) = result.defects
    assert defect.message == "dW1, db1, dW2, db2, dX: an error of 2 % is accepted."


@linux_only
def test_a_script_that_compares_is_no_missing_verification(engine: Engine) -> None:
    result = engine.grade(take_in(ROOT / "submissions" / "marta-nowicka"))
    assert result.defects == ()
    assert result.grade.score == result.grade.max_score
