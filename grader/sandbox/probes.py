"""Finding out by trying, inside a confined child, what it cannot do.

A probe's result is "held: EACCES" (refused, and how) or "OPEN: what it got".
Probes run before the submission is read, while their word can be believed.
"""

from __future__ import annotations

import _thread
import errno
import mmap
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Protocol

from grader.sandbox.kernel import Kernel, LockdownError, errno_name
from grader.sandbox.lockdown import HardLimits, LockdownKit
from grader.sandbox.seccomp import DEADLY, X32_BIT
from grader.sandbox.syscalls import X86_64

if sys.platform == "linux":
    import resource

OPEN = "OPEN"
REFUSED_BY_PEER = (errno.ECONNREFUSED, errno.EINPROGRESS)
NO_CONFINEMENT, NO_KILL = 3, 4
X32 = "x32 call"
NO_RESERVE = 0x4000


class Confine(Protocol):
    """`lockdown.confine`, or a test's variant of it."""

    def __call__(
        self, limits: HardLimits, keep_fds: Iterable[int], *, kit: LockdownKit
    ) -> dict[str, str]: ...


def probe() -> dict[str, str]:
    """Try everything in `PROBES` from within this process; keys begin with `tried.`."""
    return {f"tried.{name}": _result(tried) for name, tried in PROBES}


def holds(results: dict[str, str]) -> bool:
    """Return whether no probe among `results` got through."""
    return not any(value.startswith(OPEN) for value in results.values())


def _result(tried: Callable[[], str]) -> str:
    try:
        got = tried()
    except OSError as error:
        return f"held: {errno_name(error)}"
    except RuntimeError as error:
        return f"held: {error}"
    return got if got.startswith("held") else f"{OPEN}: {got}"


# ── what is tried ────────────────────────────────────────────────────────────


def _read_file() -> str:
    os.close(os.open("/etc/passwd", os.O_RDONLY))
    return "/etc/passwd was opened"


def _read_environment() -> str:
    os.close(os.open("/proc/self/environ", os.O_RDONLY))
    return "/proc/self/environ was opened"


def _write_file() -> str:
    """Create it without a name, so that nothing is left behind where it succeeds."""
    os.close(os.open("/tmp", os.O_TMPFILE | os.O_WRONLY, 0o600))
    return "a file was made in /tmp"


def _list_root() -> str:
    with os.scandir("/") as entries:
        return f"{sum(1 for _ in entries)} names seen in /"


def _connect() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        code = sock.connect_ex(("127.0.0.1", 9))
    if code and code not in REFUSED_BY_PEER:
        return f"held: {errno.errorcode.get(code, code)}"
    return "the loopback network was reached"


def _unix_socket() -> str:
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close()
    return "a Unix socket was made"


def _fork() -> str:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return "a process was started"


def _thread_start() -> str:
    _thread.start_new_thread(int, ())
    return "a thread was started"


def _signal_parent() -> str:
    parent = os.getppid()
    if parent == 0:
        return "held: the parent cannot be seen"
    os.kill(parent, 0)
    return "the parent can be signalled"


def _execute() -> str:
    """Return a program that cannot exist: only the refusal to try at all counts as held."""
    try:
        os.execv("/dev/null/none", ["none"])
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ENOENT):
            return f"execve went ahead ({errno_name(error)})"
        raise


def _map_memory() -> str:
    """Reserve as much as all memory allowed; only, so that no other limit can answer."""
    size = resource.getrlimit(resource.RLIMIT_AS)[0]
    if size == resource.RLIM_INFINITY:
        return "memory has no limit"
    mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | NO_RESERVE, prot=mmap.PROT_READ).close()
    return "more memory than the limit was mapped"


def _map_code() -> str:
    mmap.mmap(-1, 1, prot=mmap.PROT_READ | mmap.PROT_EXEC).close()
    return "executable memory was mapped"


def _memory_file() -> str:
    os.close(os.memfd_create("probe"))
    return "a file in memory was made"


PROBES: tuple[tuple[str, Callable[[], str]], ...] = (
    ("read-file", _read_file),
    ("read-environ", _read_environment),
    ("write-file", _write_file),
    ("list-root", _list_root),
    ("network", _connect),
    ("unix-socket", _unix_socket),
    ("fork", _fork),
    ("thread", _thread_start),
    ("signal-parent", _signal_parent),
    ("execute", _execute),
    ("memory", _map_memory),
    ("executable-memory", _map_code),
    ("memory-file", _memory_file),
)


# ── what ends the process ────────────────────────────────────────────────────


def deadly_probes(machine: str) -> tuple[str, ...]:
    """Return names for `try_deadly`: calls that must end the process that makes them."""
    return (*DEADLY.split(), *((X32,) if machine == X86_64 else ()))


def try_deadly(
    confine: Confine, limits: HardLimits, kit: LockdownKit, names: Iterable[str]
) -> dict[str, str]:
    """Sacrifice one confined child a name; keys begin with `deadly.`."""
    return {f"deadly.{name}": _sacrifice(confine, limits, kit, name) for name in names}


def _sacrifice(confine: Confine, limits: HardLimits, kit: LockdownKit, name: str) -> str:
    pid = os.fork()
    if pid == 0:
        try:
            confine(limits, (), kit=kit)
        except LockdownError:
            os._exit(NO_CONFINEMENT)
        _make_call(kit.kernel, name)
        os._exit(NO_KILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code == -signal.SIGSYS:
        return "held: SIGSYS"
    if code == NO_CONFINEMENT:
        return "not tried: the child could not be confined"
    return f"{OPEN}: the process went on ({code})"


def _make_call(kernel: Kernel, name: str) -> None:
    """Make the call with arguments that no kernel can act upon, should it get that far."""
    nonsense = (-1,) * 6
    try:
        if name == X32:
            kernel.call_number(X32_BIT | kernel.numbers["getpid"])
        else:
            kernel.call(name, *nonsense)
    except OSError:
        return
