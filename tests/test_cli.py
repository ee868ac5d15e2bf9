"""The commands as a user types them: real processes, their words and their exit statuses."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from grader.checks import ALL_CHECKS
from grader.defects import KINDS

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "reference"
STUB = "def forward(X, y, W1, b1, W2, b2):\n    raise NotImplementedError\n"
RUBBISH = """
def forward(*a): return object(), 3
def backward(cache): return "hello"
def torch_forward_backward(*a): return 1, 2, 3
def verify(*a): raise KeyError("x")
"""
TROUBLE = {
    "hangs": "def forward(*a):\n    while True: pass\n",
    "hangs-at-import": "while True: pass\n",
    "exits": "def forward(*a):\n    import os; os._exit(0)\n",
    "crashes": "def forward(*a):\n    import ctypes; ctypes.string_at(0)\n",
    "floods": "def forward(*a):\n    while True: print('x' * 4096)\n",
    "rubbish": RUBBISH,
    "eats-memory": "def forward(*a):\n    import numpy as np\n"
    "    hoard = [np.empty(1 << 24) for _ in range(100)]\n",  # not touched: a busy machine is slow
    "raises-at-import": "raise ValueError('no')\n",
}


Ran = tuple[Path, subprocess.CompletedProcess[str]]
"""A folder, and what a command did there."""


def run(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
    )


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("graded")
    done = run("grade", REFERENCE, "--out", out, "--seed", "7")
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_grade_writes_both_files_and_says_the_score(graded: tuple[Path, str]) -> None:
    out, words = graded
    document = json.loads((out / "result.json").read_text())
    assert document["schema_version"] == 2
    assert document["seed"] == 7
    assert document["score"] == document["max_score"] == 80.0
    assert "80.0 of 80" in words
    assert str(out / "report.html") in words
    assert (out / "report.html").read_text().startswith("<!doctype html>")


def test_result_has_the_contracts_form(graded: tuple[Path, str]) -> None:
    document = json.loads((graded[0] / "result.json").read_text())
    assert {"id", "digest", "files"} <= set(document["submission"])
    assert {"id", "digest"} <= set(document["rubric"])
    part, check = document["parts"][0], document["checks"][0]
    assert {"id", "title", "points", "max_points"} <= set(part)
    wanted = {"id", "part", "status", "points", "max_points", "message", "explained_by"}
    assert wanted <= set(check)
    assert document["submission"]["digest"].startswith("sha256:")
    assert document["isolation"]["numpy"]["seccomp"].startswith("held")


def test_same_seed_gives_the_same_result(graded: tuple[Path, str], tmp_path: Path) -> None:
    run("grade", REFERENCE, "--out", tmp_path, "--seed", "7")
    first, second = (
        json.loads((folder / "result.json").read_text()) for folder in (graded[0], tmp_path)
    )
    for document in (first, second):
        del document["timing"]
        document["checks"] = [c for c in document["checks"] if c["id"] != "backward.vectorised"]
    assert first == second


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Where a stub was graded without a seed, and what the command said."""
    folder = tmp_path_factory.mktemp("stub")
    (folder / "solution.py").write_text(STUB)
    done = run("grade", folder / "solution.py", "--out", folder, "--fail-under", "50")
    return folder, done


@pytest.fixture(scope="module")
def starter(
    tmp_path_factory: pytest.TempPathFactory,
) -> Ran:
    """Where a starter was written and graded without a seed, and what the command said."""
    folder = tmp_path_factory.mktemp("new")
    assert run("new", folder / "starter").returncode == 0
    return folder, run("grade", folder / "starter", "--out", folder / "out")


def test_a_fresh_seed_is_drawn_for_each_run(stub: Ran, starter: Ran) -> None:
    files = (stub[0] / "result.json", starter[0] / "out" / "result.json")
    first, second = (json.loads(file.read_text())["seed"] for file in files)
    assert first != second


def test_exit_1_below_fail_under(stub: Ran) -> None:
    _, done = stub
    assert done.returncode == 1
    assert "stub" in done.stdout or "NotImplementedError" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["grade", "nowhere"], "no such file"),
        (["grade", ROOT / "pyproject.toml"], ".ipynb"),
        (["cohort", "nowhere"], "no such"),
        (["grade", REFERENCE, "--rubric", "nowhere.yaml"], "nowhere.yaml"),
        (["grade", REFERENCE, "--audience", "boss"], "interviewer"),
        (["grade", REFERENCE, "--seed", "-4"], "seed"),
        (["grade"], "SUBMISSION"),
        (["explain", "relu-mask-misssing"], "relu-mask-missing"),
        (["view", "nowhere"], "no report"),
        (["nonsense"], "nonsense"),
    ],
    ids=lambda v: " ".join(Path(str(w)).name for w in v) if isinstance(v, list) else "",
)
def test_exit_2_with_a_sentence_for_a_wrong_call(
    words: list[str], says: str, tmp_path: Path
) -> None:
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_cohort_goes_on_past_every_kind_of_trouble(tmp_path: Path) -> None:
    folder, out = tmp_path / "answers", tmp_path / "out"
    for name, source in TROUBLE.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "solution.py").write_text(source)
    (folder / "good").mkdir()
    (folder / "good" / "solution.py").write_bytes((REFERENCE / "solution.py").read_bytes())
    done = run("cohort", folder, "--out", out, "--timeout", "6")
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((out / "results.json").read_text())["results"]
    scores = {r["submission"]["id"]: r["score"] for r in results}
    assert scores.pop("good") == 80.0
    assert set(scores) == set(TROUBLE)
    assert max(scores.values()) < 10
    codes = {r["submission"]["id"]: {d["code"] for d in r["defects"]} for r in results}
    assert "timeout" in codes["hangs"] & codes["hangs-at-import"]
    assert "crash" in codes["exits"] & codes["crashes"]
    assert "output-limit" in codes["floods"]
    assert "memory-limit" in codes["eats-memory"]
    assert "wrong-return" in codes["rubbish"]
    assert "missing-function" in codes["raises-at-import"]
    rows = list(csv.DictReader((out / "scores.csv").open(newline="")))
    assert {row["id"] for row in rows} == {*TROUBLE, "good"}
    assert "good" in (out / "index.html").read_text()
    again = run("cohort", folder, "--out", out, "--timeout", "6")
    assert "9 kept" in again.stdout


def test_rubric_check_and_schema(tmp_path: Path) -> None:
    assert run("rubric", "check", ROOT / "rubrics" / "onsite.yaml").returncode == 0
    assert run("rubric", "check", ROOT / "rubrics" / "course.yaml").returncode == 0
    assert "properties" in json.loads(run("rubric", "schema").stdout)
    bad = tmp_path / "bad.yaml"
    bad.write_text("rubric: 1\nid: x\ntitle: y\npartz: []\n")
    done = run("rubric", "check", bad)
    assert done.returncode == 2
    assert f"{bad}:4:" in done.stderr


def test_new_writes_a_starter_that_grades_as_incomplete(starter: Ran) -> None:
    folder, done = starter
    assert (folder / "starter" / "solution.py").is_file()
    assert run("new", folder / "starter").returncode == 2
    document = json.loads((folder / "out" / "result.json").read_text())
    assert done.returncode == 0
    assert document["score"] == 0
    assert {d["code"] for d in document["defects"]} == {"incomplete"}


def test_explain_knows_every_check_and_code() -> None:
    from grader.explain import explanation

    listing = run("explain", "all").stdout
    for code in (*(c.id for c in ALL_CHECKS), *(c.code for c in KINDS)):
        assert code in listing
        assert len(explanation(code)) > 80
    assert "1/B" in run("explain", "backward.batch_mean").stdout


def test_doctor_proves_the_isolation_by_trying() -> None:
    done = run("doctor")
    assert done.returncode == 0
    assert "seccomp" in done.stdout
    assert "tried.network" in done.stdout
    assert "torch" in done.stdout


def test_help_teaches() -> None:
    words = run("--help").stdout
    for command in ("grade", "cohort", "view", "rubric", "new", "explain", "doctor"):
        assert command in words
    assert "Exit status" in words


@pytest.mark.parametrize(("words", "mended"), [((), True), (("--no-mend",), False)])
def test_mends_can_be_left_out(words: tuple[str, ...], mended: bool, tmp_path: Path) -> None:
    answer = ROOT / "submissions" / "lucia-fernandez"
    assert run("grade", answer, "--out", tmp_path, "--seed", "7", *words).returncode == 0
    [defect] = json.loads((tmp_path / "result.json").read_text())["defects"]
    assert (defect["mend"] is not None) == mended
