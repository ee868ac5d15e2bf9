"""A zygote's life: warm, clean, single-threaded, and gone without a trace."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from grader.errors import SandboxError
from grader.observe.zygotes import DRIVER, Zygotes
from grader.records import Ended
from grader.sandbox import pool
from grader.sandbox import warm as warming
from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote
from grader.sandbox.session import Child
from grader.sandbox.warm import CLEAN_ENVIRONMENT
from tests.sandbox.confined import linux_only

pytestmark = [pytest.mark.slow, linux_only]

HANDLER = """
import json, os, random, sys, time
import numpy as np
SEEN = []

def handle(kind, items):
    SEEN.append(kind)
    return {"said": json.dumps(eval(items["do"], globals()))}
"""
ROOM = 1 << 20


def asked(child: Child, code: str) -> object:
    """What `code` gives in the child."""
    import json

    child.request("load-oracle", {"source": HANDLER}, ROOM)
    reply = child.request("do", {"do": code}, ROOM)
    assert reply.ended is Ended.OK, reply
    return json.loads(reply.items["said"])


def once(zygote: Zygote, code: str) -> object:
    """What `code` gives in a fresh child."""
    with zygote.spawn(Limits(), 20.0) as child:
        return asked(child, code)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_facts_say_what_isolates_it(zygote: Zygote) -> None:
    facts = zygote.facts()
    assert facts
    assert all(isinstance(k, str) and isinstance(v, str) for k, v in facts.items())
    assert zygote.facts() == facts


def test_an_unconfined_one_says_so() -> None:
    with Zygote(DRIVER, (), unconfined=True) as open_one:
        assert "unisolated" in open_one.facts()
        assert once(open_one, "1") == 1


@pytest.mark.usefixtures("no_leak")
def test_a_child_sees_a_clean_environment(zygote: Zygote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_TOKEN", "canary")
    with Zygote(DRIVER, ("numpy",)) as fresh:
        environment = once(fresh, "dict(os.environ)")
        assert isinstance(environment, dict)
        assert environment == CLEAN_ENVIRONMENT | {"LC_CTYPE": "C.UTF-8"} or (
            environment == CLEAN_ENVIRONMENT
        )
        assert "canary" not in str(once(fresh, "[sys.argv, sys.path]"))


def test_what_is_preloaded_can_be_imported_and_torch_is_not_there(zygote: Zygote) -> None:
    loaded = once(zygote, "sorted(sys.modules)")
    assert isinstance(loaded, list)
    assert "numpy" in loaded
    assert "torch" not in loaded


def test_nothing_of_the_judges_is_in_a_childs_memory(zygote: Zygote) -> None:
    loaded = once(zygote, "[m for m in sys.modules if m.startswith('grader.')]")
    assert isinstance(loaded, list)
    judges = ("problem", "checks", "scoring", "rubric", "intake", "records", "sandbox.session")
    assert not [m for m in loaded if m.removeprefix("grader.").startswith(judges)]


@pytest.fixture
def both(zygotes: Zygotes) -> tuple[Zygote, Zygote]:
    return zygotes.numpy, zygotes.torch


def process(child: Child) -> Path:
    """Its folder in `/proc`, as the judge sees it."""
    facts = Path(f"/proc/self/fdinfo/{child._pidfd}").read_text()
    rows = dict(row.split(":", 1) for row in facts.splitlines())
    return Path("/proc") / rows["Pid"].strip()


def test_no_memory_is_shared_between_children(both: tuple[Zygote, Zygote]) -> None:
    """A writable mapping that a fork does not copy would carry messages, to the zygote as well."""
    for warm in both:
        with warm.spawn(Limits(), 20.0) as child:
            launcher = warm._process.pid
            zygote = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()[0]
            rows = [row.split() for row in Path(f"/proc/{zygote}/maps").read_text().splitlines()]
            assert process(child).is_dir()
        rights = {row[1] for row in rows}
        assert "rw-p" in rights
        assert not {r for r in rights if "w" in r and "s" in r}, "shared and writable"
        assert not {r for r in rights if "w" in r and "x" in r}, "writable and executable"


def test_a_child_goes_before_the_judge_when_memory_runs_out(zygote: Zygote) -> None:
    def willingness(folder: Path) -> int:
        return int((folder / "oom_score_adj").read_text())

    with zygote.spawn(Limits(), 20.0) as child:
        assert asked(child, "1") == 1
        assert willingness(process(child)) == 1000
    assert willingness(Path("/proc/self")) < 1000


def test_a_child_leaves_nothing_for_the_next(zygote: Zygote) -> None:
    once(zygote, "setattr(np, 'message', 'hello') or setattr(sys.modules['json'], 'left', 1)")
    assert once(zygote, "[hasattr(np, 'message'), hasattr(json, 'left'), len(SEEN)]") == [
        False,
        False,
        1,
    ]


@pytest.mark.usefixtures("no_leak")
def test_many_children_one_after_another_leave_nothing(zygote: Zygote) -> None:
    for number in range(60):
        with zygote.spawn(Limits(), 20.0) as child:
            if number % 2:
                assert child.request("isolation", {}, ROOM).ended is Ended.OK


@pytest.mark.usefixtures("no_leak")
def test_threads_may_share_one(zygote: Zygote) -> None:
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda n: once(zygote, f"{n} * {n}"), range(36)))
    assert answers == [n * n for n in range(36)]


@pytest.mark.usefixtures("no_leak")
def test_children_live_side_by_side_and_apart(zygote: Zygote) -> None:
    with zygote.spawn(Limits(), 20.0) as one, zygote.spawn(Limits(), 20.0) as other:
        assert asked(one, "SEEN") == ["do"]
        one.close()
        assert asked(other, "SEEN") == ["do"]


def test_how_a_child_ended_is_known_with_its_cost(zygote: Zygote) -> None:
    with zygote.spawn(Limits(), 20.0) as child:
        asked(child, "[0 for _ in range(3_000_000)] and 1")
        reaped = child.close()
    assert (reaped.exit_code, reaped.signal) == (0, signal.SIGKILL)
    assert 0.01 < reaped.cpu_seconds < 20
    assert reaped.peak_bytes > 1 << 20


# ── starting and ending ──────────────────────────────────────────────────────


def test_closing_it_ends_it_and_its_children_and_can_be_done_twice() -> None:
    before = set(os.listdir("/proc/self/fd"))
    warm = Zygote(DRIVER, ())
    child = warm.spawn(Limits(), 20.0)
    pid = warm._process.pid
    warm.close()
    warm.close()
    assert not alive(pid)
    with pytest.raises(SandboxError, match="closed"):
        child.request("isolation", {}, ROOM)
    assert not child.alive
    assert len(set(os.listdir("/proc/self/fd")) - before) == 0


@pytest.mark.parametrize(
    ("driver", "modules", "words"),
    [("grader.nowhere", (), "grader.nowhere"), (DRIVER, ("no_such_module",), "no_such_module")],
)
def test_one_that_cannot_start_says_why(driver: str, modules: tuple[str, ...], words: str) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with Zygote(driver, modules) as broken, pytest.raises(SandboxError, match=words):
        broken.facts()
    assert set(os.listdir("/proc/self/fd")) == before


def test_one_that_dies_is_the_harness_s_fault_and_leaves_no_descriptor() -> None:
    before = set(os.listdir("/proc/self/fd"))
    with Zygote(DRIVER, ()) as doomed:
        doomed.facts()
        child = doomed.spawn(Limits(), 20.0)
        doomed._process.kill()
        doomed._process.wait()
        with pytest.raises(SandboxError, match="ended"):
            doomed.spawn(Limits(), 20.0)
        for _ in range(2):
            with pytest.raises(SandboxError, match="ended"):
                child.close()
        assert not child.alive
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_child_does_not_outlive_its_zygote() -> None:
    """It sleeps for a minute; the death of the zygote wakes the judge at once."""
    with Zygote(DRIVER, ()) as doomed:
        child = doomed.spawn(Limits(), 60.0)
        child.request("load-oracle", {"source": HANDLER}, ROOM)
        death = threading.Timer(0.2, doomed._process.kill)
        death.start()
        started = time.monotonic()
        with pytest.raises(SandboxError, match="ended"):
            child.request("do", {"do": "time.sleep(60)"}, ROOM)
        death.join()
        assert time.monotonic() - started < 20
        assert not child.alive


def test_one_that_was_never_waited_for_is_ended_where_it_stands() -> None:
    early = Zygote(DRIVER, ("torch",))
    early.close()
    assert early._process.returncode == -signal.SIGKILL


def test_a_threaded_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    boot = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n{warming.BOOT}"
    monkeypatch.setattr(warming, "BOOT", boot)
    with Zygote(DRIVER, ("threaded",), unconfined=True) as busy:
        with pytest.raises(SandboxError, match="threads"):
            busy.facts()
        busy._process.kill()


def test_one_that_does_not_get_ready_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(60)\n")
    boot = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n{warming.BOOT}"
    monkeypatch.setattr(warming, "BOOT", boot)
    monkeypatch.setattr(pool, "START_SECONDS", 0.3)
    with Zygote(DRIVER, ("slow",), unconfined=True) as slow:
        with pytest.raises(SandboxError, match="did not start"):
            slow.facts()
        slow._process.kill()


def test_it_runs_this_interpreter(zygote: Zygote) -> None:
    assert once(zygote, "sys.version") == sys.version
    assert once(zygote, "np.__version__") == np.__version__
