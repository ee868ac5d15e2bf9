"""The same small job done by otter-grader and nbgrader, for who has them.

They need an environment of their own, which must see numpy and torch too:

    python -m venv others && others/bin/pip install otter-grader nbgrader
    echo "$PWD/.venv/lib/python3.11/site-packages" > others/lib/python3.11/site-packages/ours.pth
    python -m tests.benchmarks.throughput --others others/bin/python

Each gets a submission with the reference's code and one test: that the gradients of both
parts agree. otter runs without its container, a process each as its command has it, as
many at a time as the cohort grades; nbgrader grades all in one run of its command.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

TEST = """\
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(7, 5)), rng.integers(0, 3, 7)
given = (X, y, rng.normal(size=(5, 11)), rng.normal(size=11), rng.normal(size=(11, 3)), np.ones(3))
ours, theirs = backward(forward(*given)[1]), torch_forward_backward(*given)[1]
assert all(np.allclose(ours[name], np.asarray(theirs[name])) for name in ours)
"""


def found(
    python: str | None, scratch: Path, count: int, jobs: int
) -> dict[str, Callable[[], object]]:
    """What there is, ready to grade `count` submissions; says of the rest that it is missing."""
    ready: dict[str, Callable[[], object]] = {}
    for name, module, prepared in (
        ("otter-grader", "otter", _otter),
        ("nbgrader", "nbgrader", _nbgrader),
    ):
        if python is None or subprocess.run([python, "-c", f"import {module}"]).returncode:
            print(f"{name}: not installed (--others PYTHON names an environment that has it)")
            continue
        ready[name] = prepared(python, scratch / module, count, jobs)
    return ready


def _run(command: list[str], where: Path) -> None:
    """Its own programs come first on the path: nbgrader calls alembic by its name."""
    path = os.pathsep.join((str(Path(command[0]).parent), os.environ["PATH"]))
    done = subprocess.run(
        command, cwd=where, capture_output=True, text=True, env=os.environ | {"PATH": path}
    )
    assert done.returncode == 0, done.stderr[-2000:]


def _source() -> str:
    return (ROOT / "reference" / "solution.py").read_text()


def _otter(python: str, where: Path, count: int, jobs: int) -> Callable[[], object]:
    (where / "tests").mkdir(parents=True)
    code = "".join(f">>> {line}\n" for line in TEST.splitlines())
    case = {"code": code, "hidden": False, "locked": False}
    suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    test = {"name": "agree", "points": 1, "suites": [suite]}
    (where / "tests" / "agree.py").write_text(f"OK_FORMAT = True\ntest = {test!r}\n")
    (where / "solution.ipynb").write_text(json.dumps(_notebook(_source())))
    otter = [python, "-m", "otter"]
    _run([*otter, "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"], where)

    def one(number: int) -> None:
        out = where / f"out{number}"
        out.mkdir()
        _run([*otter, "run", "-a", "autograder.zip", "-o", out.name, "solution.ipynb"], where)
        results = json.loads((out / "results.json").read_text())
        assert sum(test.get("score", 0.0) for test in results["tests"]) == 1.0, results

    def work() -> None:
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(one, range(count)))

    return work


def _nbgrader(python: str, where: Path, count: int, _jobs: int) -> Callable[[], object]:
    where.mkdir(parents=True)
    (where / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "c"\n'
    )
    source = where / "source" / "ps1" / "p1.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(json.dumps(_notebook("# yours\n")))
    nbgrader = [python, "-m", "nbgrader"]
    _run([*nbgrader, "generate_assignment", "ps1"], where)
    for number in range(count):
        entry = where / "submitted" / f"student{number}" / "ps1"
        entry.mkdir(parents=True)
        (entry / "p1.ipynb").write_text(json.dumps(_notebook(_source())))

    def work() -> None:
        _run([*nbgrader, "autograde", "ps1"], where)
        _run([*nbgrader, "export", "--to", "grades.csv"], where)
        with (where / "grades.csv").open() as stream:
            scores = [float(row["score"]) for row in csv.DictReader(stream)]
        assert scores == [1.0] * count, scores

    return work


def _notebook(answer: str) -> dict[str, Any]:
    """A cell for the answer and one that tests it, marked as nbgrader marks them."""

    def cell(identity: str, source: str, *, grade: bool) -> dict[str, Any]:
        marks = {
            "grade_id": identity, "grade": grade, "locked": grade, "solution": not grade,
            "schema_version": 3, "task": False, **({"points": 1} if grade else {}),
        }  # fmt: skip
        plain = {"cell_type": "code", "execution_count": None, "outputs": [], "id": identity}
        return plain | {"metadata": {"nbgrader": marks}, "source": source}

    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [cell("answer", answer, grade=False), cell("test", TEST, grade=True)]
    return {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
