"""Confining one freshly forked child, before it reads a byte of a submission.

`prepare` runs once in the zygote, after all modules are loaded and before its
files are taken away; `confine` runs in each child and needs neither an import
nor a file. A step that must hold and does not raises `LockdownError`; the
child then has to end. Landlock is depth: it may be missing, and is recorded.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grader.sandbox import privileges
from grader.sandbox.kernel import (
    HELD,
    PR_GET_DUMPABLE,
    PR_GET_NO_NEW_PRIVS,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    Kernel,
    LockdownError,
    attempt,
    errno_name,
)
from grader.sandbox.landlock import DenyAll
from grader.sandbox.seccomp import Filter

if sys.platform == "linux":
    import resource

STEPS = (
    *("session", "descriptors", "bounding_set", "identity", "limits", "capabilities"),
    *("dumpable", "no_new_privs", "landlock", "seccomp"),
)
"""The keys of `confine`'s record, in the order in which the steps are taken."""


class HardLimits(Protocol):
    """What a child may use: bytes on top of the zygote's own size, seconds of processor time."""

    @property
    def memory_bytes(self) -> int: ...
    @property
    def cpu_seconds(self) -> int: ...


@dataclass(frozen=True, slots=True)
class LockdownKit:
    """All that `confine` needs, so that a child neither imports nor opens anything."""

    kernel: Kernel
    filter: Filter
    landlock: DenyAll | None
    landlock_missing: str
    zygote: int
    zygote_bytes: int
    single_map: bool

    @classmethod
    def build(cls) -> LockdownKit:
        """Raises `LockdownError` where this system cannot confine at all."""
        kernel = Kernel()
        try:
            landlock, missing = DenyAll.build(kernel), ""
        except OSError as error:
            landlock, missing = None, f"unavailable: {errno_name(error)}"
        return cls(
            kernel=kernel,
            filter=Filter.build(kernel.machine),
            landlock=landlock,
            landlock_missing=missing,
            zygote=os.getpid(),
            zygote_bytes=_virtual_bytes(),
            single_map=_single_map(),
        )


@functools.cache
def prepare() -> LockdownKit:
    """Return the zygote's kit, built at the first call; a forked child finds it in its memory."""
    return LockdownKit.build()


def confine(
    limits: HardLimits,
    keep_fds: Iterable[int],
    *,
    kit: LockdownKit | None = None,
    skip: frozenset[str] = frozenset(),
    unsafe: bool = False,
) -> dict[str, str]:
    """Take everything away from this process but computing and `keep_fds`; gives the record.

    Only in a child just forked by the process that prepared `kit` (default:
    `prepare()`). `skip` leaves out steps, for tests. `unsafe` goes on without
    seccomp, which otherwise raises, as every other step does but Landlock.
    """
    kit = prepare() if kit is None else kit
    kernel, keep = kit.kernel, tuple(keep_fds)

    plan: dict[str, Callable[[], str | None]] = {
        "session": lambda: _own_session(kit),
        "descriptors": lambda: _keep_only(kernel, keep),
        "bounding_set": lambda: privileges.bound(kernel),
        "identity": lambda: privileges.leave_root(single_map=kit.single_map),
        "limits": lambda: _limit(limits, kit.zygote_bytes, keep),
        "capabilities": lambda: privileges.drop_capabilities(kernel),
        "dumpable": lambda: _undumpable(kit),
        "no_new_privs": lambda: _no_new_privileges(kernel),
        "landlock": lambda: _landlock(kit),
        "seccomp": lambda: kit.filter.load(kernel, os.getpid()),
    }
    record = {}
    for name in STEPS:
        if name in skip and (name != "seccomp" or unsafe):
            record[name] = "skipped"
        else:
            record[name] = _take(name, plan[name], optional=unsafe and name == "seccomp")
    return record


def _take(name: str, step: Callable[[], str | None], *, optional: bool) -> str:
    """Take one step; gives what to record."""
    if optional:
        return attempt(step)
    try:
        detail = step()
    except OSError as error:
        raise LockdownError(
            f"step {name} failed ({error}); run `grader doctor` to see what this machine allows"
        ) from error
    if detail and detail.startswith((HELD, "unavailable")):
        return detail
    return f"{HELD}: {detail}" if detail else HELD


# ── the steps ────────────────────────────────────────────────────────────────


def _own_session(kit: LockdownKit) -> None:
    """Leave the terminal, and die when the zygote dies (asked again after the change of user)."""
    if os.getsid(0) != os.getpid():
        os.setsid()
    os.chdir("/")
    _die_with_zygote(kit)


def _die_with_zygote(kit: LockdownKit) -> None:
    kit.kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != kit.zygote:
        raise LockdownError("the zygote ended while its child was being confined")


def _keep_only(kernel: Kernel, keep: tuple[int, ...]) -> str:
    for fd in keep:
        os.fstat(fd)  # a descriptor that is not there must not be found missing later
    kernel.close_all_but(keep)
    return f"{len(set(keep))} kept"


def _limit(limits: HardLimits, zygote_bytes: int, keep: tuple[int, ...]) -> str:
    """Set hard limits. One descriptor above the kept ones is left for Landlock's ruleset."""
    memory, seconds = zygote_bytes + limits.memory_bytes, limits.cpu_seconds
    for which, soft, hard in (
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, seconds, seconds + 1),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, max(keep, default=-1) + 2, max(keep, default=-1) + 2),
        (resource.RLIMIT_NPROC, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
    ):
        ceiling = resource.getrlimit(which)[1]
        unlimited = ceiling == resource.RLIM_INFINITY  # else whoever started us has set less
        most = hard if unlimited else min(hard, ceiling)
        resource.setrlimit(which, (min(soft, most), most))
    return f"{limits.memory_bytes >> 20} MiB, {seconds} s"


def _undumpable(kit: LockdownKit) -> None:
    """Forbid cores and readers in /proc. The change of user has undone the parent-death signal."""
    kit.kernel.prctl(PR_SET_DUMPABLE, 0)
    if kit.kernel.prctl(PR_GET_DUMPABLE) != 0:
        raise LockdownError("the process is still dumpable")
    _die_with_zygote(kit)


def _no_new_privileges(kernel: Kernel) -> None:
    kernel.prctl(PR_SET_NO_NEW_PRIVS, 1)
    if kernel.prctl(PR_GET_NO_NEW_PRIVS) != 1:
        raise LockdownError("no_new_privs did not hold")


def _landlock(kit: LockdownKit) -> str:
    """Return the only step that may fail: its record says why."""
    ruleset = kit.landlock
    return kit.landlock_missing if ruleset is None else attempt(lambda: ruleset.load(kit.kernel))


# ── the zygote's own measures ────────────────────────────────────────────────


def _virtual_bytes() -> int:
    """Return size of this process's address space; raises `LockdownError` once `/proc` is gone."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[0]
    except OSError as error:
        raise LockdownError(
            f"the zygote's size cannot be read ({error}); prepare() comes before empty_root()"
        ) from error
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _single_map() -> bool:
    """Return whether this user namespace knows one user only."""
    ranges = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return len(ranges) == 1 and ranges[0][2] == "1"
