"""The C library's door to the kernel, with failures as `OSError`.

Everything the child side asks of Linux that `os` does not offer goes through
here. Built once in the zygote, because a confined child can load nothing.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys
from collections.abc import Callable, Iterable

from grader.sandbox import syscalls

PR_SET_PDEATHSIG = 1
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

HELD = "held"
ALL_FDS = 0x7FFFFFFF

TRUSTED_ONLY = (
    "this system cannot confine a stranger's code; grade trusted submissions only, "
    "with --unsafe-no-sandbox, or run the grader on Linux (x86_64 or aarch64)"
)


class LockdownError(Exception):
    """A step of the lock-down failed; the process must end before it reads a submission."""


class Kernel:
    """Calls by name. Arguments are integers, `bytes` or ctypes pointers; results integers."""

    def __init__(self) -> None:
        """Load the C library. Raises `LockdownError` but on Linux on a known machine."""
        self.machine = platform.machine()
        if sys.platform != "linux" or self.machine not in syscalls.MACHINES:
            raise LockdownError(TRUSTED_ONLY)
        self.numbers = syscalls.table(self.machine)
        libc = ctypes.CDLL(None, use_errno=True)
        self._prctl, self._syscall = libc.prctl, libc.syscall
        self._prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
        self._syscall.argtypes = [ctypes.c_long, *[ctypes.c_void_p] * 6]
        self._syscall.restype = ctypes.c_long

    def prctl(self, option: int, *values: int) -> int:
        """Return `prctl(2)`; missing values are 0."""
        padded = (*values, 0, 0, 0, 0)[:4]
        return self._checked(self._prctl(option, *padded), f"prctl {option}")

    def call(self, name: str, *arguments: object) -> int:
        """Return the system call `name`; missing arguments are 0."""
        return self.call_number(self.numbers[name], *arguments, name=name)

    def call_number(self, number: int, *arguments: object, name: str = "a call") -> int:
        """Return the system call `number`; missing arguments are 0."""
        padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
        return self._checked(self._syscall(number, *padded), name)

    def close_all_but(self, keep: Iterable[int]) -> None:
        """Close every descriptor but `keep`, in one call a gap however many are open."""
        start = 0
        for fd in (*sorted(set(keep)), ALL_FDS):
            if start < fd:
                self._close_range(start, fd - 1)
            start = fd + 1

    def _close_range(self, first: int, last: int) -> None:
        try:
            self.call("close_range", first, last)
        except OSError:  # a kernel before 5.9: one by one
            os.closerange(first, min(last + 1, os.sysconf("SC_OPEN_MAX")))

    @staticmethod
    def _checked(result: int, what: str) -> int:
        if result == -1:
            code = ctypes.get_errno()
            raise OSError(code, f"{what}: {os.strerror(code)}")
        return result


def errno_name(error: OSError) -> str:
    """Return `EPERM` and the like."""
    return errno.errorcode.get(error.errno or 0, str(error.errno))


def attempt(step: Callable[[], str | None]) -> str:
    """Return what came of an optional step: "held", "held: its detail" or "unavailable: EPERM"."""
    try:
        detail = step()
    except OSError as error:
        return f"unavailable: {errno_name(error)}"
    return f"{HELD}: {detail}" if detail else HELD
