"""Every wrong call ends in one plain sentence and the right exit status, and none in a traceback."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from grader.cli.app import (
    EXIT_CALL,
    EXIT_GRADED,
    EXIT_INTERRUPTED,
    EXIT_UNDECIDED,
    app,
    status_of,
)
from grader.errors import CallerError, HarnessError, RubricError
from grader.rubric import Rubric
from tests.export.conftest import result

ROOT = Path(__file__).parents[2]

CALLS: tuple[tuple[str, str], ...] = (
    # words, and what the sentence says; {answer}, {many}, … are paths of `places`
    ("nonsense", "No such command"),
    ("--nonsense", "No such option"),
    ("grade", "SUBMISSION"),
    ("grade nowhere", "no such file"),
    ("grade {empty_word}", "the path is empty"),
    ("grade {text}", "not a folder, .py"),
    ("grade /dev/null", "not a folder, .py"),
    ("grade {answer} {answer}", "unexpected extra argument"),
    ("grade {answer} --out {text}", "is a file; name a folder"),
    ("grade {answer} --out {text}/inner", "is a file; name a folder"),
    ("grade {answer} --out {answer}", "is what is to be graded"),
    ("grade {answer} --out {link}", "is what is to be graded"),
    ("grade {answer} --out {empty_word}", "the path is empty"),
    ("grade {answer} --out", "requires an argument"),
    ("grade {answer} --seed x", "--seed"),
    ("grade {answer} --seed -4", "--seed"),
    ("grade {answer} --seed 9223372036854775808", "--seed"),
    ("grade {answer} --seed 1.5", "--seed"),
    ("grade {answer} --fail-under x", "--fail-under"),
    ("grade {answer} --fail-under nan", "--fail-under"),
    ("grade {answer} --fail-under 101", "--fail-under"),
    ("grade {answer} --timeout nan", "--timeout"),
    ("grade {answer} --timeout inf", "--timeout"),
    ("grade {answer} --timeout 1e300", "--timeout"),
    ("grade {answer} --timeout 0", "--timeout"),
    ("grade {answer} --audience boss", "interviewer or candidate"),
    ("grade {answer} --jobs many", "--jobs"),
    ("grade {answer} --rubric nowhere.yaml", "nowhere.yaml"),
    ("grade {answer} --rubric {answer}", "no such file"),
    ("grade {answer} --rubric {bytes}", "UTF-8"),
    ("grade {answer} --contract nowhere.yaml", "nowhere.yaml"),
    ("cohort", "FOLDER_OR_ZIP"),
    ("cohort nowhere", "no such"),
    ("cohort {text}", "no such folder, .zip"),
    ("cohort {empty}", "no submissions"),
    ("cohort {bad_zip}", "cannot be read as an archive"),
    ("cohort {bytes}", "no such folder, .zip"),
    ("cohort {many} --out {many}", "is what is to be graded"),
    ("cohort {many}/submissions --out {many}", "is what is to be graded"),
    ("cohort {many} --out {text}", "is a file; name a folder"),
    ("cohort {many} --jobs 0", "--jobs"),
    ("cohort {many} --scheduler nonsense", "no scheduler's address"),
    ("cohort {many} --seed x", "--seed"),
    ("view nowhere", "no report"),
    ("view {empty}", "no report"),
    ("view {text}", "no report"),
    ("view {empty} --review", "no result"),
    ("view {empty} --review --port 99999", "--port"),
    ("export nowhere --to csv", "no such file or folder"),
    ("export {empty} --to csv", "no result"),
    ("export {text} --to csv", "no result"),
    ("export {results} --to paper", "--to takes one of"),
    ("export {results}", "--to"),
    ("export {results} --to csv --output {empty}", "cannot be written"),
    ("export {results} --to csv --output {text}/x.csv", "cannot be written"),
    ("export {results} --to moodle", "--worksheet"),
    ("export {results} --to moodle --worksheet {empty}", "cannot be read as a worksheet"),
    ("export {results} --to moodle --worksheet {bytes}", "cannot be read as a worksheet"),
    ("export {damaged} --to csv", "no result"),
    ("view {damaged} --review", "no result"),
    ("agree {results}", "--marks"),
    ("agree nowhere --marks {text}", "no such file or folder"),
    ("agree {empty} --marks {text}", "no result"),
    ("agree {results} --marks nowhere.csv", "no such file or folder"),
    ("agree {results} --marks {empty}", "cannot be read"),
    ("agree {results} --marks {bytes}", "not UTF-8"),
    ("agree {results} --marks {text}", "names no column"),
    ("agree {damaged} --marks {text}", "no result"),
    ("rubric check nowhere.yaml", "nowhere.yaml"),
    ("rubric check {empty}", "no such file"),
    ("rubric check {bytes}", "UTF-8"),
    ("rubric check", "FILE"),
    ("rubric nonsense", "No such command"),
    ("new", "FOLDER"),
    ("new {text}", "exists already"),
    ("new {text}/inner", "Not a directory"),
    ("new {answer}", "exists already"),
    ("new /proc/nowhere", "No such file"),
    ("explain", "CODE"),
    ("explain relu-mask-misssing", "relu-mask-missing"),
    ("explain {empty_word}", "there is no check or defect"),
    ("doctor extra", "unexpected extra argument"),
)
"""Status 2, all of them."""


@pytest.fixture(scope="module")
def places(onsite: Rubric, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("places")
    answer, many, empty = root / "answer", root / "many", root / "empty"
    for folder in (answer, many / "ada", many / "submissions" / "bob"):
        folder.mkdir(parents=True)
        (folder / "solution.py").write_text("def forward(*a): pass\n")
    empty.mkdir()
    (root / "link").symlink_to(answer)
    (root / "text").write_text("plain\n")
    (root / "bytes").write_bytes(b"\xff\xfe\x00\x9f" * 50)
    (root / "bad.zip").write_bytes(b"PK\x03\x04nothing more")
    (root / "results").mkdir()
    (root / "results" / "result.json").write_text(
        json.dumps(result(onsite, "ada", name="Ada", who="", fails={}))
    )
    (root / "damaged").mkdir()
    (root / "damaged" / "result.json").write_text('{"submission": {"id": "ada"}, "checks": 3}')
    names = ("answer", "many", "empty", "link", "text", "bytes", "results", "damaged")
    return {name: str(root / name) for name in names} | {
        "bad_zip": str(root / "bad.zip"),
        "empty_word": "",
    }


def case(call: str, says: str) -> object:
    """A call; one that starts to import torch before it reads the rubric is not quick."""
    late = call.startswith("grade") and any(word in call for word in ("--rubric", "--contract"))
    return pytest.param(call, says, marks=[pytest.mark.slow] if late else [], id=call)


@pytest.mark.parametrize(("call", "says"), [case(*each) for each in CALLS])
def test_a_wrong_call_has_status_2_and_one_plain_sentence(
    call: str,
    says: str,
    places: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [word.format(**places) for word in call.split()]
    assert status_of(lambda: app(words, standalone_mode=False)) == EXIT_CALL
    said = capsys.readouterr()
    assert says in said.err
    assert "Traceback" not in said.err + said.out
    assert said.err.count("\n") == 1
    assert len(said.err) < 600
    assert list(tmp_path.iterdir()) == [], "nothing is written by a call that is refused"


def raising(error: BaseException) -> Callable[[], object]:
    def call() -> None:
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (CallerError("no"), EXIT_CALL, "grader: no\n"),
        (RubricError(["a:1: x", "a:2: y"]), EXIT_CALL, "a:1: x\na:2: y\n"),
        (HarnessError("no sandbox"), EXIT_UNDECIDED, "grader: no sandbox\n`grader doctor`"),
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), EXIT_CALL, "a/b: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device", "out"), EXIT_CALL, "out: No space left"),
        (OSError(errno.EMFILE, "Too many open files"), EXIT_UNDECIDED, "Too many open files"),
        (BlockingIOError(errno.EAGAIN, "no process"), EXIT_UNDECIDED, "no process"),
        (KeyboardInterrupt(), EXIT_INTERRUPTED, "grader: interrupted\n"),
        (typer.Abort(), EXIT_INTERRUPTED, "grader: interrupted\n"),
        (typer.BadParameter("no such thing."), EXIT_CALL, "grader: Invalid value: no such thing. `grader -h`"),
        (RecursionError("too deep"), EXIT_UNDECIDED, "a fault of the grader, please report it: RecursionError"),
        (MemoryError(), EXIT_UNDECIDED, "MemoryError"),
        (KeyError("a\nb"), EXIT_UNDECIDED, "KeyError"),
        (ZeroDivisionError(), EXIT_UNDECIDED, "test_app.py, line"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)  # fmt: skip
def test_whatever_is_raised_is_a_status_and_a_sentence(
    error: BaseException, status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(raising(error)) == status
    assert says in capsys.readouterr().err


def test_only_the_call_itself_gives_status_1() -> None:
    assert [status_of(lambda: 1), status_of(lambda: None), status_of(lambda: 0)] == [1, 0, 0]


# ── as processes ─────────────────────────────────────────────────────────────


def start(*words: str | Path, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "grader", *map(str, words)]
    return subprocess.Popen(command, text=True, start_new_session=True, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.slow
def test_a_reader_that_leaves_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "answers" / "ada").mkdir(parents=True)
    (tmp_path / "answers" / "ada" / "solution.py").write_text("")
    out = tmp_path / "out"
    process = start(
        *("cohort", tmp_path / "answers", "--out", out, "--jobs", "1"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.wait(120) == EXIT_GRADED
    assert process.stderr.read() == ""
    assert (out / "index.html").is_file()


@pytest.mark.slow
def test_a_full_disk_behind_the_output_is_said() -> None:
    with open("/dev/full", "w") as full:
        process = start("explain", "all", stdout=full, stderr=subprocess.PIPE)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (EXIT_CALL, "grader: No space left on device\n")


@pytest.mark.slow
def test_closed_outputs_and_an_odd_terminal_are_no_matter() -> None:
    command = [sys.executable, "-m", "grader", "explain", "all"]
    shell = subprocess.run(["sh", "-c", '"$@" >&- 2>&-', "sh", *command], timeout=120, check=False)
    assert shell.returncode == EXIT_GRADED
    plain = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, timeout=120, check=False, env=plain)
    assert (done.returncode, done.stderr) == (EXIT_GRADED, b"")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["grade", "cohort"])
@pytest.mark.parametrize("after", [0.15, 0.6, 3.0])
def test_an_interrupt_is_said_and_no_more(command: str, after: float, tmp_path: Path) -> None:
    """Whatever it meets: the imports, a worker's start, or an answer that never ends."""
    answer = tmp_path / "answers" / "ada"
    answer.mkdir(parents=True)
    (answer / "solution.py").write_text("def forward(*a):\n    while True: pass\n")
    target = answer if command == "grade" else tmp_path / "answers"
    process = start(
        *(command, target, "--out", tmp_path / "out", "--timeout", "60"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(after)
    if b"grader" not in Path(f"/proc/{process.pid}/cmdline").read_bytes():
        pytest.skip("the machine is too slow for this")
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate(timeout=120)
    ended = process.returncode in (EXIT_INTERRUPTED, -signal.SIGINT)  # a shell shows 130 for both
    assert ended or _python_was_not_yet_there(said)
    assert "Traceback" not in said or _python_was_not_yet_there(said)
    assert "Traceback" not in out


def _python_was_not_yet_there(said: str) -> bool:
    """Whether the interpreter itself was interrupted, before a line of ours ran."""
    return "<frozen" in said and "grader/cli" not in said
