"""Programs that enter namespaces and empty their root, as a zygote does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import confined as c
import pytest

from grader.sandbox import namespaces, probes, survey

pytestmark = [pytest.mark.slow, c.linux_only]

PRELUDE = f"""
import sys; sys.path.insert(0, {str(c.ROOT)!r})
import json, os, signal, socket, time
from grader.sandbox import namespaces
"""
SYSTEM_PYTHON = "/usr/bin/python3"


def start(program: str, *, python: tuple[str, ...] = (sys.executable,)) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*python, "-I", "-B", "-c", PRELUDE + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def output(program: str, **options: tuple[str, ...]) -> dict[str, object]:
    said, _ = start(program, **options).communicate(timeout=30)
    result: dict[str, object] = json.loads(said)
    return result


WORLD = """
facts = namespaces.enter({skip})
world = {{"pid": os.getpid(), "links": [name for _, name in socket.if_nameindex()]}}
facts |= namespaces.empty_root({skip})
try:
    world["root"] = os.listdir("/")
except OSError as error:
    world["root"] = repr(error)
world["cwd"] = os.getcwd() if facts["namespace.mount"] == "held" else ""
for name, path in (("passwd", "/etc/passwd"), ("proc", "/proc/self/status"), ("new", "/x")):
    try:
        os.close(os.open(path, os.O_RDONLY if name != "new" else os.O_CREAT | os.O_WRONLY))
        world[name] = "opened"
    except OSError as error:
        world[name] = "refused"
print(json.dumps({{"facts": facts, "world": world}}))
"""


def test_the_world_is_empty() -> None:
    result = output(WORLD.format(skip=""))
    facts, world = result["facts"], result["world"]
    assert set(facts) == {
        *(f"namespace.{name}" for name in (*namespaces.NAMES, "mount")),
        "root",
    }
    if facts["namespace.pid"] == "held":
        assert world["pid"] == 1
    if facts["namespace.net"] == "held":
        assert world["links"] == ["lo"]
    if facts["root"].startswith("held"):
        assert world["root"] == []
        assert {world[name] for name in ("passwd", "proc", "new")} == {"refused"}


@c.root_only
def test_without_a_mount_namespace_the_root_is_nowhere() -> None:
    result = output(WORLD.format(skip='frozenset({"mount"})'))
    facts, world = result["facts"], result["world"]
    assert facts["namespace.mount"] == "skipped"
    assert facts["root"] == "held: chroot into a removed directory"
    assert world["root"] == []
    assert {world[name] for name in ("passwd", "proc", "new")} == {"refused"}


def test_without_any_namespace_it_goes_on_and_says_so() -> None:
    everything = {*namespaces.NAMES, "mount", "root"}
    result = output(WORLD.format(skip=f"frozenset({everything!r})"))
    facts = result["facts"]
    user = facts.pop("namespace.user")
    assert user == ("not needed: root" if os.geteuid() == 0 else "skipped")
    assert set(facts.values()) == {"skipped"}
    assert result["world"]["passwd"] == "opened"


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("sys.exit(0)", 0),
        ("sys.exit(7)", 7),
        ("raise ValueError", 1),
        ("os._exit(78)", 78),
    ],
)
def test_the_launcher_ends_as_the_zygote_does(program: str, code: int) -> None:
    process = subprocess.run(
        [sys.executable, "-I", "-c", f"{PRELUDE}\nnamespaces.enter()\n{program}"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert process.returncode == code


def test_a_fault_is_passed_on_as_its_signal() -> None:
    program = "namespaces.enter(frozenset({'pid'}))\nos.abort()"
    process = start(program)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGABRT


def test_killing_the_launcher_kills_the_zygote() -> None:
    process = start("namespaces.enter()\nprint(1, flush=True)\ntime.sleep(60)")
    assert process.stdout is not None
    assert process.stdout.readline() == b"1\n"
    process.kill()
    assert process.stdout.read() == b""  # ends when the last writer is gone
    process.communicate(timeout=10)


def test_the_judges_end_is_the_zygotes_end() -> None:
    """Even when it is killed, and even where nobody closes a pipe."""
    program = f"{PRELUDE}\nnamespaces.enter()\nprint(1, flush=True)\ntime.sleep(60)"
    judge = subprocess.Popen(
        [
            *(sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"),
            *(sys.executable, "-I", "-B", "-c", program),
        ],
        stdout=subprocess.PIPE,
    )
    assert judge.stdout is not None
    assert judge.stdout.readline() == b"1\n"
    started = time.monotonic()
    judge.kill()
    assert judge.stdout.read() == b""
    judge.communicate(timeout=10)
    assert time.monotonic() - started < 20


def test_a_thread_of_the_judge_may_end_before_the_zygote() -> None:
    """A parent-death signal would come then; the launcher must not use one."""
    program = f"{PRELUDE}\nnamespaces.enter()\nprint(1, flush=True)\ntime.sleep(1)\nprint(2)"
    judge = (
        "import subprocess, sys, threading, time\n"
        "t = threading.Thread(target=lambda: subprocess.Popen(sys.argv[1:]))\n"
        "t.start(); t.join(); time.sleep(3)"
    )
    done = subprocess.run(
        [sys.executable, "-c", judge, sys.executable, "-I", "-B", "-c", program],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == b"1\n2\n"


# ── the survey ───────────────────────────────────────────────────────────────


def test_the_survey_finds_this_machine_usable() -> None:
    facts = survey.available()
    assert facts["usable"] == "yes", facts
    assert probes.holds(facts)
    assert facts["seccomp"].startswith("held")


@c.root_only
def test_the_survey_as_an_ordinary_user() -> None:
    if not shutil.which("setpriv") or not os.access(SYSTEM_PYTHON, os.X_OK):
        pytest.skip("needs setpriv and a system Python")
    version = subprocess.check_output(
        [SYSTEM_PYTHON, "-c", "import sys; print(sys.version_info >= (3, 11))"]
    )
    if version.strip() != b"True":
        pytest.skip("the system Python is too old")
    identity = ("--reuid=12345", "--regid=12345", "--clear-groups")
    facts = output(
        "from grader.sandbox import survey; print(json.dumps(survey.available()))",
        python=("setpriv", *identity, SYSTEM_PYTHON),
    )
    assert facts["usable"] == "yes", facts
    assert facts["identity"] == "held: the ordinary user who started this"


def test_a_trial_that_breaks_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "PROGRAM", "raise SystemExit('the reason')")
    assert "the reason" in survey.available()["usable"]
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert survey.available()["usable"].startswith("no: the trial could not be started")
