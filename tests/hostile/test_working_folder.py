"""The judge stands in a folder full of strangers' files, and imports none of them (A42)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import gathering

OWN = Path(__file__).parents[2]
WORKED = "WORKED A42"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs confined children")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cohort's folder in which three candidates handed in single files, called as modules are.

    Not as `grader`: `python -m grader` in a folder that has one is a call of that one.
    """
    module = gathering.load_build("a42-shadow-modules")
    made = tmp_path / "cohort"
    made.mkdir()
    for name in ("numpy", "secrets", "pydantic"):
        (made / f"{name}.py").write_text(module.SHADOW)
    return made


def said(folder: Path, *words: str) -> str:
    """What a Python process says that is started in `folder`."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(OWN)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("command", [("-c", "import numpy"), ("-m", "numpy")])
def test_python_itself_takes_what_lies_there(command: tuple[str, str], folder: Path) -> None:
    """The control: so the worker processes did, before they were told not to."""
    assert WORKED in said(folder, *command)


def test_neither_the_command_nor_its_workers_do(folder: Path, tmp_path: Path) -> None:
    words = said(
        folder, "-m", "grader", "cohort", ".", "--jobs", "1", "--out", str(tmp_path / "out")
    )
    assert "submissions" in words
    assert "Index:" in words
    assert WORKED not in words
