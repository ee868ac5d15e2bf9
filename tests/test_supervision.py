"""The work of `grader grade` is done in a process that may be ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


def supervised(body: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import os, signal, sys\nfrom grader.supervision import supervised\n"
        f"def work(words):\n    {body}\n"
        "sys.exit(supervised(work, ['grade', 'x']))\n"
    )
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_its_exit_status_and_words_are_those_of_the_work() -> None:
    done = supervised("print(words); sys.exit(1)")
    assert (done.returncode, done.stdout, done.stderr) == (1, "['grade', 'x']\n", "")
    assert supervised("pass").returncode == 0


def test_what_went_beyond_its_bounds_is_asked_for_its_numbers() -> None:
    done = supervised("'--numbers-only' in words or signal.raise_signal(signal.SIGPROF)")
    assert done.returncode == 0
    assert "only its numbers count" in done.stderr


def test_what_goes_beyond_them_twice_is_for_a_person() -> None:
    done = supervised("signal.raise_signal(signal.SIGPROF)")
    assert done.returncode == 3
    assert "a person has to look" in done.stderr


def test_another_signal_is_told_as_a_shell_would() -> None:
    assert supervised("os.kill(os.getpid(), signal.SIGKILL)").returncode == 137
