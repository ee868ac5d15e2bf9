"""Whatever is handed in, however odd, gets a decided grade or a refusal by name."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from grader.cohort import Engine
from grader.intake import take_in
from grader.records import GradeStatus, UnjudgedReason

ROOT = Path(__file__).parents[2]
RIGHT = (ROOT / "reference" / "solution.py").read_bytes()
FULL, LOSS_LOST, REFUSED = 80.0, 16.91, 0.0


def handing(loss: str) -> bytes:
    """The reference, whose forward hands its loss `l` on as something else."""
    return RIGHT + (
        b"\n_forward = forward\ndef forward(*a):\n    l, cache = _forward(*a)\n    return "
        + loss.encode()
        + b", cache\n"
    )


def giving(gradient: str) -> bytes:
    """The reference, whose backward hands each gradient `g` on as something else."""
    return RIGHT + (
        b"\n_backward = backward\ndef backward(cache):\n    return {k: "
        + gradient.encode()
        + b" for k, g in _backward(cache).items()}\n"
    )


def notebook(*cells: object) -> bytes:
    return json.dumps({"cells": list(cells)}).encode()


CODE = {"cell_type": "code", "source": RIGHT.decode()}

UNREAD = -1.0
"""In place of a score: nobody can read it, so it is unjudged."""

INPUTS: dict[str, tuple[dict[str, bytes], float, str]] = {
    # what is handed in, its score, and a defect of it ("" for none)
    "a loss of bool": ({"solution.py": handing("l > 0")}, LOSS_LOST, "wrong-return"),
    "a loss of numpy's bool": ({"solution.py": handing("np.bool_(l > 0)")}, LOSS_LOST, "wrong-return"),
    "a loss of str": ({"solution.py": handing("str(l)")}, LOSS_LOST, "wrong-return"),
    "a complex loss": ({"solution.py": handing("l + 1j")}, LOSS_LOST, "wrong-return"),
    "a loss that is masked": ({"solution.py": handing("np.ma.masked")}, LOSS_LOST, "wrong-return"),
    "a loss in an object": ({"solution.py": handing("np.array(float(l), object)")}, FULL, ""),
    "a loss without imaginary part": ({"solution.py": handing("complex(l)")}, FULL, ""),
    "gradients of bool": ({"solution.py": giving("g > 0")}, 24.92, "wrong-return"),
    "gradients of str": ({"solution.py": giving("g.astype(str)")}, 23.4248, "wrong-return"),
    "gradients as objects": ({"solution.py": giving("g.astype(object)")}, FULL, ""),
    "gradients of int": ({"solution.py": giving("g.astype(int)")}, 26.9931745, "grad-unexplained"),
    "no gradients": ({"solution.py": RIGHT + b"\ndef backward(c): return {}\n"}, 24.92, "wrong-return"),
    "an empty reply": ({"solution.py": RIGHT + b"\ndef forward(*a): return ()\n"}, LOSS_LOST, "wrong-return"),
    "a helper without a codec": (
        {"solution.py": RIGHT, "h.py": b"# coding: undefined\nx = 1\n"}, FULL, ""),
    "a helper in bytes": ({"solution.py": RIGHT, "h.py": b"# coding: hex\nx = 1\n"}, FULL, ""),
    "an answer without a codec": ({"solution.py": b"# coding: undefined\n" + RIGHT}, UNREAD, ""),
    "random bytes": ({"solution.py": random.Random(1).randbytes(5000)}, UNREAD, "syntax-error"),
    "nul bytes": ({"solution.py": bytes(100)}, UNREAD, "syntax-error"),
    "an empty file": ({"solution.py": b""}, REFUSED, "missing-function"),
    "nothing": ({}, UNREAD, ""),
    "a broken zip": ({"a.zip": b"PK\x03\x04" + b"x" * 80}, UNREAD, ""),
    "half a notebook": ({"a.ipynb": b'{"cells": ['}, UNREAD, ""),
    "a notebook nested deeply": ({"a.ipynb": b'{"cells":' + b"[" * 99_999}, UNREAD, ""),
    "a notebook with broken cells": ({"a.ipynb": notebook(None, 3, CODE)}, FULL, ""),
    "settings and answers in bytes": (
        {"solution.py": RIGHT, "answers.md": b"\xff\xfe\0", "submission.yaml": b"\xff[1,"}, FULL, ""),
    "a file as a folder": ({"solution.py/x.txt": b""}, UNREAD, ""),
}  # fmt: skip


@pytest.mark.parametrize("what", INPUTS)
def test_an_odd_input_is_decided(what: str, engine: Engine, tmp_path: Path) -> None:
    files, score, code = INPUTS[what]
    folder = tmp_path / "ada"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    result = engine.grade(take_in(folder))
    codes = [defect.code for defect in result.defects]
    if score == UNREAD:
        assert result.unjudged is not None
        assert result.unjudged.reason is UnjudgedReason.UNREADABLE
        assert (result.fault, result.grade.status) == ("", GradeStatus.UNJUDGED)
    else:
        assert (result.fault, result.grade.status) == ("", GradeStatus.GRADED)
        assert result.grade.score == pytest.approx(score)
    assert code in codes if code else not codes
