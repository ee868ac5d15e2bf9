"""What people use of torch that torch itself imports late, or that needs a compiler."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.cohort import Engine
from grader.intake.files import Read
from grader.intake.find import assemble
from grader.records import SourceFile

REFERENCE = (Path(__file__).parents[2] / "reference" / "solution.py").read_text()
HEAD = "def torch_forward_backward("
STYLES = {
    "compiled": ("@torch.compile\ndef same(x):\n    return x\n\n\n", "    same(loss).backward()\n"),
    "compiled with options": (
        "@torch.compile(dynamic=True)\ndef same(x):\n    return x\n\n\n",
        "    same(loss).backward()\n",
    ),
    "a default device": ("torch.set_default_device('cpu')\n\n\n", "    loss.backward()\n"),
    "a device block": ("", "    with torch.device('cpu'):\n        loss.backward()\n"),
}


@pytest.mark.parametrize("style", STYLES)
def test_it_is_there(style: str, engine: Engine) -> None:
    before, backward = STYLES[style]
    source = REFERENCE.replace(HEAD, before + HEAD, 1).replace("    loss.backward()\n", backward, 1)
    file = SourceFile("solution.py", source.encode())
    result = engine.grade(assemble("a", "a", Read((file,), ())))
    assert result.grade.score == result.grade.max_score, [d.message for d in result.defects]
