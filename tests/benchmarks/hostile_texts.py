"""What a hostile text costs the judge: processor seconds and megabytes of its own.

    python -m tests.benchmarks.hostile_texts            # all texts, at 2 MB where they can be
    python -m tests.benchmarks.hostile_texts NAME …     # some of them

Each text stands in an otherwise right answer, which is read, graded, drawn and sketched; what
that costs above an honest answer is printed. Only the judge's own process counts: what runs
confined has a clock of its own. A text is given up after `PATIENCE`.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

SIZE = 2_000_000
LIMITS = (1.0, 200)
"""Seconds and megabytes that one text may cost."""

PATIENCE = 40.0

FUTURE = "from __future__ import annotations\n"
"""May stand behind comments, and behind no statement."""

GOOD = (
    (Path(__file__).parents[2] / "reference" / "solution.py").read_text("utf-8").replace(FUTURE, "")
)
Files = dict[str, str]


def padded(text: str) -> Files:
    """Return the right answer behind a text: an expression that finds nothing meets it first."""
    return {"solution.py": text[: SIZE - len(GOOD) - 10] + "\n" + GOOD}


def notebook(cells: list[tuple[str, str]]) -> Files:
    own = [("code", GOOD), *cells]
    rows = [{"cell_type": kind, "source": text, "outputs": []} for kind, text in own]
    return {"solution.ipynb": json.dumps({"cells": rows})}


def beside(**files: str) -> Files:
    return {"solution.py": GOOD, **{f"{name}.py": text for name, text in files.items()}}


def calls(count: int) -> str:
    return "".join(
        f"def f{i}(x): return f{(i * 7 + 1) % count}(x) + f{i - 1}(x)\n" for i in range(count)
    )


TEXTS: Mapping[str, Callable[[], Files]] = {
    "honest": lambda: {"solution.py": GOOD},
    "padding: 45,000 lines x=1": lambda: padded("x=1\n" * 45_000),
    "padding: arithmetic": lambda: padded("z = 1 + 2 * 3 - 4\n" * 110_000),
    "comment: / and blanks": lambda: padded("# /" + " " * (SIZE - 20_000) + "x"),
    "comment: q and blanks": lambda: padded("# q" + " " * (SIZE - 20_000) + "x"),
    "comment: def gradgrad": lambda: padded("# def " + "grad" * (SIZE // 4)),
    "comments: # alone": lambda: padded("#\n" * (SIZE // 2)),
    "answers: heading and blanks": lambda: {
        "solution.py": GOOD, "answers.md": "# x" + " " * 250_000 + "."},
    "answers: q and blanks": lambda: {
        "solution.py": GOOD, "answers.md": "q" + " " * 250_000 + "x"},
    "answers: headings": lambda: {"solution.py": GOOD, "answers.md": "# Q1\n" * 50_000},
    "notebook: backward": lambda: notebook([("markdown", "backward " * (SIZE // 9))]),
    "notebook: 120,000 crumbs": lambda: notebook([("markdown", "a few words")] * 120_000),
    "notebook: 8,001 %%writefile": lambda: notebook(
        [("code", f"%%writefile m{i}.py\nx = {i}\n") for i in range(8_001)]),
    "notebook: 30,000 code cells": lambda: notebook([("code", "x = 1\n")] * 30_000),
    "lines of one blank": lambda: padded(" \n" * (SIZE // 2)),
    "7,000 lines of one blank": lambda: padded(" \n" * 7_000),
    "empty lines": lambda: padded("\n" * SIZE),
    "200,000 empty lines": lambda: padded("\n" * 200_000),
    "20,000 import lines": lambda: padded("".join(f"from a import x{i}\n" for i in range(20_000))),
    "two parts of 20,000 functions": lambda: {
        "numpy_part.py": GOOD.split("def torch_forward")[0] + "".join(f"def f{i}(): 0\n" for i in range(20_000)),
        "torch_part.py": "import torch\ndef torch_forward_backward(X, y, W1, b1, W2, b2): pass\n"
        + "".join(f"def f{i}(): 0\n" for i in range(20_000))},
    "random operators": lambda: padded("x = " + "+-~-" * (SIZE // 4) + "1"),
    "20 files of operators": lambda: beside(
        **{f"helper{i}": "x = " + "+-" * 48_000 + "1\n" for i in range(20)}),
    "4 files of one wide list": lambda: beside(**{f"t{i}": "x = [" + "a," * 249_000 + "]\n" for i in range(4)}),
    "a wide list below the limit": lambda: beside(t="x = [" + "a," * 19_000 + "]\n"),
    "nested brackets": lambda: padded("x = " + "(" * 90_000 + ")" * 90_000),
    "4,000 functions that call each other": lambda: padded(calls(4_000)),
    "900 functions that call each other": lambda: padded(calls(900)),
    "quotes": lambda: padded('x = """\n' + "'''\n" * (SIZE // 4)),
    "backslashes": lambda: padded("x = 1 + \\\n" * 60_000 + "1"),
    "a copy behind comments": lambda: {"solution.py": "# some words\n" * 16_000 + GOOD},
    "coding lines": lambda: {"solution.py": "# " + "coding:zzq" * 6_000 + "\n" + GOOD},
}  # fmt: skip


def main(names: list[str]) -> None:
    """Print a row for each text; fails where one costs too much."""
    print(f"{'text':40} {'seconds':>8} {'MB':>6} {'page kB':>8}", flush=True)
    todo, beyond = names or list(TEXTS), 0
    while todo:
        command = [sys.executable, "-m", "tests.benchmarks.hostile_texts", "--serve", *todo]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for row in process.stdout:
                seconds, memory, page = json.loads(row)
                bad = seconds > LIMITS[0] or memory > LIMITS[1]
                beyond += bad
                mark = "  beyond" if bad else ""
                print(f"{todo.pop(0):40} {seconds:8.2f} {memory:6} {page:8}{mark}", flush=True)
        if todo:
            beyond += 1
            print(f"{todo.pop(0):40} ended with {process.returncode}  beyond", flush=True)
    sys.exit(bool(beyond))


def serve(names: list[str]) -> None:
    """Write seconds, megabytes and kilobytes of page of each text, above an honest answer's."""
    from grader.bundled import bundled
    from grader.checks import ALL_CHECKS
    from grader.cohort import Engine, Settings
    from grader.cohort.worker import Order, finish
    from grader.intake import take_in
    from grader.observe.zygotes import Zygotes
    from grader.rubric import load_rubric

    rubric = load_rubric(bundled("rubrics") / "onsite.yaml", [check.id for check in ALL_CHECKS])
    settings = Settings(seed=1)
    with Zygotes() as zygotes, TemporaryDirectory() as place:
        engine = Engine(rubric, settings, zygotes)

        def work(folder: Path) -> tuple[float, int]:
            began = time.process_time()
            finished = finish(Order(rubric, settings, "interviewer"), engine.grade(take_in(folder)))
            return time.process_time() - began, len(finished.page)

        reference = Path(__file__).parents[2] / "reference"
        work(reference)  # what is loaded once
        honest, _ = work(reference)
        for number, name in enumerate(names):
            folder = Path(place) / f"answer{number}"
            folder.mkdir()
            for path, text in TEXTS[name]().items():
                (folder / path).write_text(text, "utf-8")
            before = peak(reset=True)
            signal.setitimer(signal.ITIMER_PROF, PATIENCE)
            seconds, page = work(folder)
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            row = (max(0.0, seconds - honest), (peak() - before) >> 20, page >> 10)
            print(json.dumps(row), flush=True)


def peak(*, reset: bool = False) -> int:
    """Return the most bytes that this process has held in memory, since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    rows = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) << 10 for row in rows if row.startswith("VmHWM"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2:])
    else:
        main(sys.argv[1:])
