"""`grader grade` on one submission, over a bare `import torch`, as whole processes in turns."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 7


def seconds(*command: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    ratios = []
    with tempfile.TemporaryDirectory() as out:
        grade = [sys.executable, "-m", "grader", "grade", str(ROOT / "reference"), "--out", out]
        bare = [sys.executable, "-c", "import torch"]
        seconds(*bare), seconds(*grade)  # both warm
        for _ in range(ROUNDS):
            torch, whole = seconds(*bare), seconds(*grade)
            ratios.append(whole / torch)
            print(f"import torch {torch:.2f} s   grade {whole:.2f} s   ratio {ratios[-1]:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f} (target: at most 1.5)")


if __name__ == "__main__":
    main()
