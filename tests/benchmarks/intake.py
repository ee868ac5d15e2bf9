"""Milliseconds to take a submission in, from a path to the record, by the form it comes in.

The least of many rounds: what else runs on the machine only ever adds to it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.intake import find_cohort, take_in  # noqa: E402
from tests.intake.archives import packed, tarred  # noqa: E402

ROUNDS = 200
TARGET_MS = 5.0
STUDENTS = 2000
TEXT = (ROOT / "reference" / "solution.py").read_text()


def least(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The shortest of `rounds` runs, in milliseconds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - started)
    return 1000 * best


def forms(root: Path) -> Mapping[str, Path]:
    """A path for each form, written below `root`."""
    numpy, rest = TEXT.split("def torch_forward_backward", 1)
    torch, verify = ("def torch_forward_backward" + rest).split("def verify", 1)
    cells = [
        {"cell_type": "code", "source": c, "outputs": ["x" * 100_000]} for c in (TEXT, "x = 1")
    ]
    folders = {
        "parts in three files": {"np.py": numpy, "pt.py": torch, "check.py": "def verify" + verify},
        "a settings file": {"solution.py": TEXT, "submission.yaml": "names:\n  forward: forward\n"},
        "300 files of data": {"solution.py": TEXT, **{f"data/{n}.csv": "1" for n in range(300)}},
    }
    files = {
        "a notebook": ("a.ipynb", json.dumps({"cells": cells}).encode()),
        "a zip": ("a.zip", packed([("a/solution.py", TEXT.encode()), ("a/x.png", b"x" * 10**6)])),
        "a tar.gz": ("a.tar.gz", tarred([("a/solution.py", TEXT.encode()), ("a/x.png", b"x" * 10**6)])),
    }  # fmt: skip
    paths = {
        "the reference": ROOT / "reference",
        "a file alone": ROOT / "reference" / "solution.py",
    }
    for name, texts in folders.items():
        for file, text in texts.items():
            path = root / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        paths[name] = root / name
    for name, (file, data) in files.items():
        (root / file).write_bytes(data)
        paths[name] = root / file
    return paths


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, path in forms(root).items():
            note = f" (target: at most {TARGET_MS:g})" if name == "the reference" else ""
            print(f"{name:24}{least(lambda path=path: take_in(path)):8.2f} ms{note}")
        rows = [(f"name{n}_{n}_{n}_solution.py", TEXT.encode()) for n in range(STUDENTS)]
        (root / "canvas.zip").write_bytes(packed(rows))
        found = least(lambda: find_cohort(root / "canvas.zip"), 3)
        print(f"{STUDENTS} names in an export{found:8.1f} ms, none of them read")


if __name__ == "__main__":
    main()
