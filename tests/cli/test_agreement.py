"""`grader agree` as a user calls it: what it prints, writes and refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from grader.cli.agreement import MISSING
from grader.review import Folder
from tests.agreement.conftest import documents, folder, kind_band, percents, plain  # noqa: F401

pytestmark = pytest.mark.slow
WITHOUT = """
import importlib.util, runpy, sys
there = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "sklearn" else there(name, *rest)
sys.argv = ["grader", *sys.argv[1:]]
runpy.run_module("grader", run_name="__main__")
"""


def run(
    *words: str | Path, program: Sequence[str] = ("-m", "grader")
) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, *program, *map(str, words)]
    return subprocess.run(call, check=False, capture_output=True, text=True, timeout=120)


@pytest.fixture
def marks(percents: dict[str, float], tmp_path: Path) -> Path:  # noqa: F811
    file = tmp_path / "marks.csv"
    rows = [f"{id},{p:.0f},{kind_band(p)}\n" for id, p in percents.items()]
    file.write_text("id,anna,anna:band\n" + "".join(rows) + "una,5,1\nnobody,5,1\n")
    return file


def test_it_prints_writes_and_suggests(folder: Folder, marks: Path) -> None:  # noqa: F811
    done = run("agree", folder.out, "--marks", marks, "--suggest")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "14 submissions by the grader and by 1 marker." in done.stdout
    assert "not in the statistics: una (undecided)" in done.stdout
    assert "not among the results: nobody" in done.stdout
    assert "Quadratic weighted kappa" in done.stdout
    assert "not known" in done.stdout
    assert (folder.out / "agree.html").read_text().startswith("<!doctype html>")
    diff = (folder.out / "agree.diff").read_text()
    assert "-  - {at_least: 60, name: lean hire}" in diff
    assert diff.strip() in done.stdout
    again = run("agree", folder.out, "--marks", marks)
    assert (
        again.stdout
        == done.stdout.partition("\nSuggestion")[0] + again.stdout.splitlines()[-1] + "\n"
    )


def test_a_wrong_file_is_status_2(folder: Folder, tmp_path: Path) -> None:  # noqa: F811
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("id,mark\ns01,400\n")
    done = run("agree", folder.out, "--marks", wrong)
    assert done.returncode == 2
    assert done.stderr == (
        f"grader: {wrong}: row 2, column mark: '400' is above 100; a mark is from 0 to 100\n"
    )
    assert not (folder.out / "agree.html").exists()


def test_without_the_extra_it_says_what_to_install(folder: Folder, marks: Path) -> None:  # noqa: F811
    done = run("agree", folder.out, "--marks", marks, program=("-c", WITHOUT))
    assert (done.returncode, done.stderr) == (2, f"grader: {MISSING}\n")


def test_help_imports_no_statistics() -> None:
    code = (
        "import sys; from grader.cli import app\n"
        "try: app(['agree', '--help'])\n"
        "except SystemExit: pass\n"
        "print([n for n in ('sklearn', 'scipy', 'grader.agreement') if n in sys.modules])"
    )
    done = run(program=("-c", code))
    assert done.stdout.splitlines()[-1] == "[]", done.stdout
    assert "submission,marker,mark,band,why" in done.stdout
