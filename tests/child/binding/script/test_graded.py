"""A script gets what the same code in functions gets: checks, defects and their lines."""

from __future__ import annotations

import pytest

from grader.cohort import Engine
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import Result, SourceFile
from tests.child.binding.script.test_against_functions import (
    BACKWARD,
    FORWARD,
    MISTAKES,
    as_functions,
    as_script,
)

LEAVES = """\
leaves = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
tX, tW1, tb1, tW2, tb2 = leaves
t_loss = torch.nn.functional.cross_entropy(torch.relu(tX @ tW1 + tb1) @ tW2 + tb2, torch.tensor(y))
t_loss.backward()
"""
IN_A_FUNCTION = f"""
import torch
def torch_forward_backward(X, y, W1, b1, W2, b2):
    {LEAVES.rstrip().replace(chr(10), chr(10) + "    ")}
    return t_loss, {{"X": tX.grad, "W1": tW1.grad, "b1": tb1.grad, "W2": tW2.grad, "b2": tb2.grad}}
"""


def graded(engine: Engine, text: str) -> Result:
    read = Read((SourceFile("solution.py", text.encode()),), ())
    return engine.grade(assemble("id", "name", read))


@pytest.mark.parametrize("mistake", ["none", "no mask", "no mean", "wrong axis", "no bias"])
def test_a_script_is_judged_as_the_same_code_in_functions(mistake: str, engine: Engine) -> None:
    parts = [text.replace(*MISTAKES[mistake]) for text in (FORWARD, BACKWARD)]
    texts = (as_script(*parts) + "import torch\n" + LEAVES, as_functions(*parts) + IN_A_FUNCTION)
    found = []
    for text in texts:
        result, rows = graded(engine, text), text.splitlines()
        lines = {d.code: rows[d.line - 1].strip() if d.line else "" for d in result.defects}
        checks = {c.id: c.status for c in result.grade.checks if not c.id.startswith("verif")}
        found.append((lines, checks))
    (script_defects, script_checks), (defects, checks) = found
    assert script_defects == defects
    assert script_checks == checks
