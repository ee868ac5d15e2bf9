"""A process that takes more than it may ends in a way that its parent can tell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grader.bounds import EXHAUSTED

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


def ended(body: str, seconds: float = 0.2) -> int:
    code = (
        "import time, subprocess\nfrom grader.bounds import bounded\n"
        f"with bounded({seconds}, 64 << 20):\n    {body}\n"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import re; re.search('(a*)*b', 'a' * 99)",
        "import ast; [ast.parse('x,' * 99999) for _ in range(999)]",
        "bytearray(1 << 30)",
    ],
)
def test_too_much_ends_the_process(body: str) -> None:
    assert ended(body) in EXHAUSTED


@pytest.mark.parametrize("body", ["time.sleep(0.5)", "subprocess.run(['true'])"])
def test_waiting_costs_nothing(body: str) -> None:
    assert ended(body) == 0


def test_afterwards_nothing_is_bound() -> None:
    body = "pass\nbytearray(1 << 30)\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    assert ended(body) == 0
