"""Forking real children for the lock-down's tests: what they say, and how they end."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.sandbox import lockdown

ROOT = Path(__file__).resolve().parents[2]
ORDINARY = 12345
NONE: frozenset[str] = frozenset()

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
root_only = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to change the user"
)


@dataclass(frozen=True)
class TestLimits:
    __test__ = False
    memory_bytes: int = 256 << 20
    cpu_seconds: int = 5


@dataclass(frozen=True)
class End:
    """`code` is negative for a signal; `said` is what the child wrote."""

    code: int
    said: str


def forked(action: Callable[[int], object]) -> End:
    """Run `action(pipe)` in a fork; what it returns is said, what it raises too (status 9)."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 9
        try:
            os.write(writer, str(action(writer)).encode())
            code = 0
        except BaseException:
            os.write(writer, traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    return End(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode())


def confined(
    action: Callable[[], object],
    *,
    skip: frozenset[str] = NONE,
    unsafe: bool = False,
    limits: TestLimits | None = None,
) -> End:
    """Run `action` in a fork that has confined itself but for `skip`."""
    kit = lockdown.LockdownKit.build()

    def child(pipe: int) -> object:
        lockdown.confine(limits or TestLimits(), (pipe,), kit=kit, skip=skip, unsafe=unsafe)
        return action()

    return forked(child)


def as_ordinary_user(action: Callable[[], object]) -> End:
    """Run `action` in a fork that is no longer root; there it may fork and confine."""

    def child(_pipe: int) -> object:
        os.setgroups([])
        os.setresgid(ORDINARY, ORDINARY, ORDINARY)
        os.setresuid(ORDINARY, ORDINARY, ORDINARY)
        return action()

    return forked(child)
