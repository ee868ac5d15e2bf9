"""Taking the world away from the zygote, and so from every child: depth, not the floor.

`enter` comes first, before anything heavy is loaded; `empty_root` comes last,
when nothing more has to be opened. Each step is tried, and what held is
returned; only a state that is neither the old nor the new raises.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import tempfile
from pathlib import Path

from grader.sandbox.kernel import PR_SET_PDEATHSIG, Kernel, LockdownError, attempt, errno_name

if sys.platform == "linux":
    import resource

NEW_MOUNT, NEW_USER, NEW_PID = 0x0002_0000, 0x1000_0000, 0x2000_0000
SIMPLE = (("net", 0x4000_0000), ("ipc", 0x0800_0000), ("uts", 0x0400_0000))
NAMES = ("user", "pid", "net", "ipc", "uts")

READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, RECURSIVE, PRIVATE = 1, 2, 4, 8, 0x4000, 0x4_0000
DETACH = 2
MOUNT_POINTS = ("/tmp", "/proc", "/dev")
"""Directories, one of which exists everywhere, for the empty root to stand on for a moment."""

NO_LINUX = "unavailable: needs Linux"
SKIPPED = "skipped"


def enter(skip: frozenset[str] = frozenset()) -> dict[str, str]:
    """Unshare what is allowed; call it early, single-threaded, in a program of its own.

    **The caller goes on as another process**: the original one stays behind as
    launcher, waits, and ends as the caller ends. Whichever of judge, launcher
    and zygote dies takes those after it along. `skip` is for tests.
    """
    if sys.platform != "linux":
        return {f"namespace.{name}": NO_LINUX for name in NAMES}
    kernel = Kernel()
    held = {"user": _enter_user(kernel, skip)}
    held["pid"] = _unshare(kernel, "pid", NEW_PID, skip)
    _leave_launcher_behind(kernel)
    for name, flag in SIMPLE:
        held[name] = _unshare(kernel, name, flag, skip)
    return {f"namespace.{name}": value for name, value in held.items()}


def empty_root(skip: frozenset[str] = frozenset()) -> dict[str, str]:
    """Exchange all files for an empty read-only root; call it when everything is loaded.

    In a mount namespace of its own where allowed, else by chroot into a
    directory that no longer exists. After it not even `/proc` can be opened.
    """
    if sys.platform != "linux":
        return {"namespace.mount": NO_LINUX, "root": NO_LINUX}
    kernel = Kernel()
    mount = _unshare(kernel, "mount", NEW_MOUNT, skip)
    if mount == "held":
        root = attempt(lambda: _pivot(kernel))
        if root.startswith("held"):
            return {"namespace.mount": mount, "root": root}
    root = SKIPPED if "root" in skip else attempt(lambda: _chroot_to_nowhere(kernel))
    return {"namespace.mount": mount, "root": root}


# ── namespaces ───────────────────────────────────────────────────────────────


def _unshare(kernel: Kernel, name: str, flag: int, skip: frozenset[str]) -> str:
    def step() -> None:
        kernel.call("unshare", flag)

    return SKIPPED if name in skip else attempt(step)


def _enter_user(kernel: Kernel, skip: frozenset[str]) -> str:
    """Return an ordinary user needs it for the others; root does not, and keeps its users apart.

    Tried in a process of its own first: some systems grant the namespace and
    then refuse the user map, which would leave us as nobody.
    """
    if os.geteuid() == 0:
        return "not needed: root"
    if "user" in skip:
        return SKIPPED
    trial = os.fork()
    if trial == 0:
        code = 1
        try:
            _map_oneself(kernel)
            kernel.call("unshare", SIMPLE[0][1])
            code = 0
        except OSError as error:
            code = error.errno or 1
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(trial, 0)[1])
    if code:
        return f"unavailable: {errno_name(OSError(code, ''))}"
    try:
        _map_oneself(kernel)
    except OSError as error:
        raise LockdownError(f"the user namespace was entered by half: {error}") from error
    return "held"


def _map_oneself(kernel: Kernel) -> None:
    """Enter a user namespace that knows this one user and group, under their own numbers."""
    user, group = os.geteuid(), os.getegid()
    kernel.call("unshare", NEW_USER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(text)


# ── the launcher ─────────────────────────────────────────────────────────────


def _leave_launcher_behind(kernel: Kernel) -> None:
    """Fork; only the new process returns, first of its pid namespace if there is one."""
    judge = os.getppid()
    reader, writer = os.pipe()
    zygote = os.fork()
    if zygote:
        _launcher(kernel, judge, zygote, writer)
    os.close(writer)
    kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    watch = select.poll()
    watch.register(reader, select.POLLIN)
    if watch.poll(0):  # the launcher died before we asked to be told
        os._exit(1)
    os.close(reader)


def _launcher(kernel: Kernel, judge: int, zygote: int, writer: int) -> None:
    """Wait for the zygote, or for the judge's end, holding nothing; never returns.

    The judge is watched by descriptor: a parent-death signal would come
    already when the judge's *thread* that started us ends.
    """
    status = 1 << 8
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        watch, fds = select.poll(), [writer]
        try:
            fds.append(os.pidfd_open(judge))
            watch.register(fds[-1], select.POLLIN)
        except OSError:
            kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        try:
            fds.append(os.pidfd_open(zygote))
            watch.register(fds[-1], select.POLLIN)
            kernel.close_all_but(fds)
            ready = [fd for fd, _ in watch.poll()]
            if fds[-1] not in ready:
                os.kill(zygote, signal.SIGKILL)
        except OSError:  # no descriptors for processes: wait the plain way
            kernel.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _, status = os.waitpid(zygote, 0)
    finally:
        _end_like(status)


def _end_like(status: int) -> None:
    """End with the exit status, or by the signal, that `status` tells of."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.signal(-code, signal.SIG_DFL)
        with contextlib.suppress(OSError):
            os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 128 - code)


# ── the root ─────────────────────────────────────────────────────────────────


def _pivot(kernel: Kernel) -> str:
    """Mount an empty read-only tmpfs as root; raises `OSError` if nothing changed."""
    kernel.call("mount", 0, b"/", 0, RECURSIVE | PRIVATE)
    flags = READ_ONLY | NO_SUID | NO_DEVICES | NO_EXEC
    point = next(p for p in MOUNT_POINTS if Path(p).is_dir())
    kernel.call("mount", b"none", point.encode(), b"tmpfs", flags, b"size=4k,nr_inodes=1,mode=555")
    try:
        os.chdir(point)
        kernel.call("pivot_root", b".", b".")
    except OSError:
        os.chdir("/")
        kernel.call("umount2", point.encode(), DETACH)
        raise
    try:
        kernel.call("umount2", b".", DETACH)
        os.chdir("/")
    except OSError as error:
        raise LockdownError(f"the root was exchanged by half: {error}") from error
    if any(Path("/").iterdir()):
        raise LockdownError("the root was exchanged, but is not empty")
    return "empty, read-only"


def _chroot_to_nowhere(kernel: Kernel) -> str:
    """Return root in a removed directory: it is empty and nothing can be made in it."""
    before, nowhere = Path.cwd(), Path(tempfile.mkdtemp())
    try:
        os.chdir(nowhere)
    finally:
        nowhere.rmdir()
    try:
        kernel.call("chroot", b".")
    except OSError:
        os.chdir(before)
        raise
    return "chroot into a removed directory"
