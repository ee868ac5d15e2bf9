"""`grader view --review` in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def view(out: Path, *options: str, code: str = "") -> subprocess.CompletedProcess[str]:
    words = ["view", str(out), "--review", "--no-browser", *options]
    run = f"import sys; sys.argv = ['grader', *{words!r}]\n{code}\nfrom grader.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", run], capture_output=True, text=True, timeout=60, check=False
    )
