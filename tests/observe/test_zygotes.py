"""A run of one submission loads what its words ask for, and more when torch itself asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.cohort import Engine, Settings
from grader.intake import take_in
from grader.observe.zygotes import Zygotes
from grader.rubric import Rubric

ADA = Path(__file__).parents[2] / "submissions" / "ada-okafor"


@pytest.mark.slow
def test_a_module_that_torch_imports_late_costs_nothing(tmp_path: Path, onsite: Rubric) -> None:
    """The first `backward` with a gradient of its own imports half of torch's compiler."""
    source = (ADA / "solution.py").read_text()
    assert "loss.backward()" in source
    late = source.replace("loss.backward()", "loss.backward(torch.ones_like(loss))")
    (tmp_path / "solution.py").write_text(late)
    submission = take_in(tmp_path)
    with Zygotes(only=submission) as narrow:
        first = narrow.torch
        result = Engine(onsite, Settings(seed=1), narrow).grade(submission)
        assert narrow.torch is not first, "else the submission asks for nothing late"
        assert not narrow.widen(), "there is no more to load"
    assert result.grade.score == result.grade.max_score
    assert result.defects == ()
