"""Several candidates in one folder, and one candidate whose folder looks like several."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.intake import several_answers

FORWARD = "def forward(X, W):\n    return X @ W\n"
BACKWARD = "def backward(X, g):\n    return X.T @ g\n"
WHOLE = FORWARD + BACKWARD

SEVERAL = {
    "folders": (("ada/main.py", WHOLE), ("bob/net.py", WHOLE)),
    "files": (("ada.py", WHOLE), ("bob.py", WHOLE), ("carol.py", WHOLE)),
    "a mixture": (("ada/a.py", WHOLE), ("bob.py", WHOLE), ("carol.zip", "PK")),
}
ONE = {
    "one file": (("solution.py", WHOLE),),
    "a package": (("net/a.py", FORWARD), ("train/b.py", BACKWARD), ("run.py", "import net")),
    "modules that import each other": (
        ("layers/a.py", WHOLE), ("model/b.py", f"from layers.a import forward\n{WHOLE}"),
    ),
    "versions": (("v1/a.py", WHOLE), ("v2/a.py", WHOLE)),
    "drafts beside the solution": (("solution.py", WHOLE), ("old/a.py", WHOLE), ("x/a.py", WHOLE)),
    "two files": (("layers.py", WHOLE), ("functions.py", WHOLE)),
    "a part each": (
        ("by_hand/a.py", WHOLE), ("by_torch/b.py", "import torch\ndef f(a):\n    return torch.mm(a.T, a)\n"),
    ),
}  # fmt: skip


def folder_of(rows: tuple[tuple[str, str], ...], folder: Path) -> Path:
    for name, text in rows:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("what", SEVERAL)
def test_several_whole_answers_are_told(what: str, tmp_path: Path) -> None:
    names = several_answers(folder_of(SEVERAL[what], tmp_path))
    assert names == tuple(sorted({path.partition("/")[0] for path, _ in SEVERAL[what]}))


@pytest.mark.parametrize("what", ONE)
def test_one_answer_in_several_files_is_one(what: str, tmp_path: Path) -> None:
    assert several_answers(folder_of(ONE[what], tmp_path)) == ()
