"""Real forked children that confine themselves and then try things."""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import fcntl
import json
import mmap
import os
import resource
import signal
import time
from pathlib import Path

import confined as c
import pytest

from grader.sandbox import lockdown, probes
from grader.sandbox.kernel import Kernel, LockdownError

pytestmark = [pytest.mark.slow, c.linux_only]
SECCOMP, LANDLOCK = frozenset({"seccomp"}), frozenset({"landlock"})


def said(end: c.End) -> dict[str, str]:
    assert end.code == 0, end
    result: dict[str, str] = json.loads(end.said)
    return result


def probed() -> str:
    return json.dumps(probes.probe())


def own_status() -> str:
    """Capability sets and the like, as the kernel tells them."""
    return Path("/proc/self/status").read_text()


# ── everything together ──────────────────────────────────────────────────────


def test_nothing_gets_through() -> None:
    results = said(c.confined(probed))
    assert probes.holds(results), results
    assert len(results) == len(probes.PROBES)


@c.root_only
def test_nothing_gets_through_as_an_ordinary_user() -> None:
    results = said(c.as_ordinary_user(lambda: c.confined(probed).said))
    assert probes.holds(results), results


def test_without_confinement_the_probes_get_through() -> None:
    """The control: were they held anyway, they would prove nothing."""
    results = said(c.forked(lambda _: probed()))
    free = {name for name, value in results.items() if value.startswith(probes.OPEN)}
    assert free >= {
        *("tried.read-file", "tried.read-environ", "tried.list-root", "tried.unix-socket"),
        *("tried.fork", "tried.thread", "tried.execute", "tried.memory", "tried.memory-file"),
        *("tried.signal-parent", "tried.executable-memory"),
    }


def test_the_record_names_every_step_in_order() -> None:
    kit = lockdown.LockdownKit.build()
    end = c.forked(lambda pipe: json.dumps(lockdown.confine(c.TestLimits(), (pipe,), kit=kit)))
    record = said(end)
    assert tuple(record) == lockdown.STEPS
    depth = {"landlock", "bounding_set"}  # an ordinary user has no bounding set to empty
    assert all(value.startswith("held") for step, value in record.items() if step not in depth)


def test_seccomp_alone_holds_without_landlock() -> None:
    results = said(c.confined(probed, skip=LANDLOCK))
    assert probes.holds(results), results


def test_landlock_alone_holds_files_and_network() -> None:
    kit = lockdown.LockdownKit.build()
    if kit.landlock is None:
        pytest.skip("this kernel has no Landlock")
    results = said(c.confined(probed, skip=SECCOMP, unsafe=True))
    for name in ("read-file", "read-environ", "write-file", "list-root"):
        assert results[f"tried.{name}"] == "held: EACCES"
    if kit.landlock.abi >= 4:
        assert results["tried.network"] == "held: EACCES"
    if kit.landlock.abi >= 6:
        assert results["tried.signal-parent"] == "held: EPERM"


def merged() -> str:
    """What comes of asking the kernel to merge a page with equal ones, whosever they are."""
    with mmap.mmap(-1, mmap.PAGESIZE) as page:
        try:
            page.madvise(mmap.MADV_MERGEABLE)
        except OSError as error:
            return errno.errorcode[error.errno or 0]
    return "merged"


def test_no_page_is_merged_with_those_of_others() -> None:
    """How long a later write takes would tell what stands in another process's memory."""
    if c.forked(lambda _: merged()).said != "merged":
        pytest.skip("this kernel merges no pages")
    assert c.confined(merged).said == "EINVAL"


@pytest.mark.parametrize("name", probes.deadly_probes(os.uname().machine))
def test_dangerous_calls_end_the_process(name: str) -> None:
    kit = lockdown.LockdownKit.build()
    results = probes.try_deadly(lockdown.confine, c.TestLimits(), kit, [name])
    assert results == {f"deadly.{name}": "held: SIGSYS"}


# ── step by step ─────────────────────────────────────────────────────────────


def test_only_kept_descriptors_stay_open() -> None:
    extra = os.pipe()

    def action() -> object:
        return [fd for fd in range(64) if is_open(fd)]

    end = c.confined(action)
    for fd in extra:
        os.close(fd)
    assert len(json.loads(end.said)) == 1


def is_open(fd: int) -> bool:
    try:
        fcntl.fcntl(fd, fcntl.F_GETFD)
    except OSError:
        return False
    return True


def test_a_missing_descriptor_is_an_error() -> None:
    kit = lockdown.LockdownKit.build()
    end = c.forked(lambda pipe: lockdown.confine(c.TestLimits(), (pipe, 555), kit=kit))
    assert end.code == 9
    assert "step descriptors failed" in end.said


@c.root_only
def test_root_becomes_nobody_in_particular() -> None:
    ends = [
        c.confined(lambda: [*os.getresuid(), *os.getresgid()], skip=SECCOMP, unsafe=True)
        for _ in range(2)
    ]
    first, second = (set(json.loads(end.said)) for end in ends)
    assert len(first) == len(second) == 1
    assert 0 not in first
    assert first != second, "two children share a user"


def test_no_capability_and_no_way_back() -> None:
    steps = frozenset({"seccomp", "landlock"})
    status = c.confined(own_status, skip=steps, unsafe=True).said
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(fields[name], 16) == 0
    if os.geteuid() == 0:
        assert int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1"


def test_hard_limits() -> None:
    names = ("FSIZE", "CORE", "NPROC", "MEMLOCK", "MSGQUEUE", "CPU", "NOFILE", "AS")

    def action() -> str:
        return json.dumps({n: resource.getrlimit(getattr(resource, f"RLIMIT_{n}")) for n in names})

    limits = json.loads(c.confined(action).said)
    for name in names[:5]:
        assert limits[name] == [0, 0]
    assert limits["CPU"] == [5, 6]
    assert limits["NOFILE"][1] < 64
    assert limits["AS"][1] > c.TestLimits().memory_bytes


@pytest.mark.parametrize("flags", [mmap.MAP_PRIVATE, mmap.MAP_SHARED])
def test_memory_beyond_the_limit_is_refused(flags: int) -> None:
    def action() -> str:
        mmap.mmap(-1, 100 << 20, flags=flags).close()
        try:
            mmap.mmap(-1, 300 << 20, flags=flags)
        except OSError:
            return "refused"
        return "mapped"

    assert c.confined(action).said == "refused"


def test_bytes_beyond_the_limit_are_a_memory_error() -> None:
    def action() -> str:
        try:
            return str(len(bytearray(300 << 20)))
        except MemoryError:
            return "refused"

    assert c.confined(action).said == "refused"


def test_processor_time_ends_even_if_the_signal_is_ignored() -> None:
    def spin() -> None:
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        while True:
            pass

    end = c.confined(spin, limits=c.TestLimits(cpu_seconds=1))
    assert end.code == -signal.SIGKILL


def test_own_session() -> None:
    end = c.confined(lambda: os.getsid(0) == os.getpid(), skip=SECCOMP, unsafe=True)
    assert end.said == "True"


def test_a_child_dies_with_its_zygote() -> None:
    """Also where it changed its user, which undoes a parent-death signal."""
    reader, writer = os.pipe()

    def zygote(_pipe: int) -> None:
        kit = lockdown.LockdownKit.build()
        ready, told = os.pipe()
        if os.fork() == 0:
            try:
                lockdown.confine(c.TestLimits(), (writer, told), kit=kit)
                os.write(told, b"1")
                time.sleep(60)
            finally:
                os._exit(0)
        os.read(ready, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    started = time.monotonic()
    assert c.forked(zygote).code == -signal.SIGKILL
    os.close(writer)
    assert os.read(reader, 1) == b""  # ends when the child, the last writer, is gone
    os.close(reader)
    assert time.monotonic() - started < 20


def test_a_child_whose_zygote_is_gone_does_not_begin() -> None:
    kit = lockdown.LockdownKit.build()

    def between(_pipe: int) -> object:
        return c.forked(lambda pipe: lockdown.confine(c.TestLimits(), (pipe,), kit=kit)).said

    assert "the zygote ended" in c.forked(between).said


def test_abort_and_faults_keep_their_own_signals() -> None:
    assert c.confined(os.abort).code == -signal.SIGABRT
    assert c.confined(lambda: ctypes.string_at(0)).code == -signal.SIGSEGV
    assert c.confined(lambda: signal.raise_signal(signal.SIGTERM)).code == -signal.SIGTERM


def test_signals_to_others_are_refused() -> None:
    victim = os.getpid()

    def action() -> list[str]:
        results = []
        for pid in (victim, 1, -1, 0):
            try:
                os.kill(pid, 0)
                results.append("sent")
            except PermissionError:
                results.append("refused")
        return results

    assert c.confined(action).said == str(["refused"] * 4)


def test_clocks_files_and_threads_answer_with_exceptions() -> None:
    """What honest code may try ends in an exception it can read, not in a dead process."""

    def action() -> list[str]:
        tries = (
            Path("/etc/passwd").read_text,
            Path("/etc").stat,
            os.pipe,
            lambda: os.dup(1),
            Path("/tmp/x").mkdir,
            lambda: os.system("true"),
            os.wait,
            os.uname,
            lambda: os.get_terminal_size(1),
            lambda: signal.setitimer(signal.ITIMER_REAL, 1),
            lambda: os.nice(1),
        )
        time.sleep(0.001)
        results = []
        for tried in tries:
            try:
                results.append(f"got {tried()}")
            except OSError as error:
                results.append(type(error).__name__)
        return results

    end = c.confined(action)
    assert end.code == 0, end
    assert "got" not in end.said.replace("got -1", "").replace("got 32512", ""), end.said


# ── failing safely ───────────────────────────────────────────────────────────


def test_without_seccomp_it_refuses() -> None:
    kit = lockdown.LockdownKit.build()
    broken = dataclasses.replace(kit, filter=type(kit.filter)(kit.filter.head, b"\xff" * 12))
    end = c.forked(lambda pipe: lockdown.confine(c.TestLimits(), (pipe,), kit=broken))
    assert "step seccomp failed" in end.said
    unsafe = c.forked(
        lambda pipe: lockdown.confine(c.TestLimits(), (pipe,), kit=broken, unsafe=True)["seccomp"]
    )
    assert unsafe.said == "unavailable: EINVAL"


def test_seccomp_is_not_skipped_by_mistake() -> None:
    assert "held: EACCES" in c.confined(probed, skip=SECCOMP | LANDLOCK).said


def test_a_missing_landlock_is_recorded() -> None:
    kit = lockdown.LockdownKit.build()
    without = dataclasses.replace(kit, landlock=None, landlock_missing="unavailable: ENOSYS")
    end = c.forked(lambda pipe: lockdown.confine(c.TestLimits(), (pipe,), kit=without)["landlock"])
    assert end.said == "unavailable: ENOSYS"


@pytest.mark.parametrize(("platform", "machine"), [("darwin", "arm64"), ("linux", "riscv64")])
def test_elsewhere_it_says_for_trusted_submissions_only(
    monkeypatch: pytest.MonkeyPatch, platform: str, machine: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("platform.machine", lambda: machine)
    with pytest.raises(LockdownError, match="trusted submissions only"):
        Kernel()


def test_it_costs_little() -> None:
    """The median of confining a small process; generous, for machines under load."""
    kit = lockdown.LockdownKit.build()

    def timed(pipe: int) -> float:
        started = time.process_time()
        lockdown.confine(c.TestLimits(), (pipe,), kit=kit)
        return time.process_time() - started

    costs = sorted(float(c.forked(timed).said) for _ in range(21))
    assert costs[10] < 0.015
