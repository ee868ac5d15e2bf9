"""The zygote: a warm process that preloads what submissions need and forks children.

Started by the judge in an interpreter of its own (`python -I`) with a clean
environment; `main`'s arguments are CONTROL_FD MODE MODULE…, the modules that any
run needs; the driver and further modules come as its orders. It is single-threaded,
holds no secret (its memory is its children's memory) and ends when the judge's end
of the control socket closes, taking every child along.

A child costs one fork. `DRIVER` is a dotted module with `start() -> handle`,
`handle(kind, items) -> items`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import io
import os
import signal
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader.sandbox import (
    child,
    control,
    large_pages,
    lockdown,
    namespaces,
    torch_setup,
)
from grader.sandbox.large_pages import Range

PR_SET_CHILD_SUBREAPER = 36
EXIT_LOCKDOWN_FAILED = 78
"""A child that could not be confined ends with this, before it has read a byte."""

MANY = 32
"""Children after which more are to be expected. By then small pages have cost with torch what
large ones do, half a second; from then on they save half of a fork and its end."""


def main(argv: list[str]) -> int:
    """Preload, say so, then fork children until the judge is gone."""
    control_fd, mode, *first = argv
    gc.disable()  # of all that is imported nothing is garbage; looking for it takes 0.1 s
    confined = mode == "confined"
    _offer_first()
    facts = namespaces.enter() if confined else {"unisolated": "--unsafe-no-sandbox"}
    sock = socket.socket(fileno=int(control_fd))
    for name in first:
        importlib.import_module(name)
    try:
        orders, _ = control.receive(sock)
    except EOFError:
        return 0  # nothing is to be graded after all
    for name in orders["modules"]:
        importlib.import_module(name)
    start = importlib.import_module(orders["driver"]).start
    _quieten()
    tasks, written = _tasks(), large_pages.written_ranges()
    if confined:
        lockdown.prepare()
        facts |= namespaces.empty_root()
    gc.freeze()  # the pages of what is loaded stay shared: no child's collector touches them
    gc.enable()
    control.send(sock, {"ready": True, "facts": facts, "tasks": tasks})
    Forker(sock, start, facts, written).run()
    return 0


def _quieten() -> None:
    """Set one thread: with two OpenMP threads in the zygote, every forked child hangs."""
    if "torch" in sys.modules:
        torch_setup.settle(sys.modules["torch"])
    with contextlib.suppress(OSError):  # grandchildren that outlive a child come to us
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _offer_first() -> None:
    """Let the kernel end a child before anybody when the machine runs out of memory."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _tasks() -> int:
    """Return threads in this process; must be 1 whenever it forks. 1 where it cannot be known."""
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        return 1


class Forker:
    """The control loop. `children` are those forked and not yet reaped, `reaped` counts the others.

    `written` is memory that goes into large pages once many have been forked.
    """

    def __init__(
        self, sock: socket.socket, start: Any, facts: dict[str, str], written: list[Range]
    ) -> None:
        self.sock, self.start, self.facts, self.written = sock, start, facts, written
        self.children: set[int] = set()
        self.reaped = 0

    def run(self) -> None:
        """Serve the judge until it closes the socket, then kill what is left."""
        try:
            while True:
                message, fds = control.receive(self.sock)
                if message["do"] == "spawn":
                    self._spawn(message, fds)
                else:
                    self._reap(int(message["pid"]))
                    self.reaped += 1
                    if self.reaped == MANY:  # while the judge is busy with what it was told
                        large_pages.collapse(self.written)
        except EOFError:
            self._kill_all()

    def _spawn(self, message: dict[str, Any], fds: list[int]) -> None:
        pid = os.fork()
        if pid == 0:
            self._become_child(message, fds)
        self.children.add(pid)
        pidfd = os.pidfd_open(pid)
        control.send(self.sock, {"pid": pid}, (pidfd,))
        for fd in (*fds, pidfd):
            os.close(fd)

    def _become_child(self, message: dict[str, Any], fds: list[int]) -> None:
        """Confine this fork, then serve requests; never returns."""
        try:
            request_fd, reply_fd, output_fd = fds
            self.sock.close()
            os.dup2(output_fd, 1)
            os.dup2(output_fd, 2)
            os.close(output_fd)
            _fresh_streams()
            limits = control.Limits(**{k: v for k, v in message.items() if k != "do"})
            if "unisolated" in self.facts:
                os.setsid()
                held: dict[str, str] = {}
            else:
                held = lockdown.confine(limits, keep_fds=(1, 2, request_fd, reply_fd))
        except BaseException as error:
            os.write(2, f"lock-down failed: {error}\n".encode())
            os._exit(EXIT_LOCKDOWN_FAILED)
        try:
            child.serve(request_fd, reply_fd, self.start(), self.facts | held)
        finally:
            os._exit(0)

    def _reap(self, pid: int) -> None:
        """Collect a child that has ended or been killed, and any orphan it left behind."""
        self._kill(pid)
        _, status, usage = os.wait4(pid, 0)
        self.children.discard(pid)
        self._bury_orphans()
        code = os.waitstatus_to_exitcode(status)
        reaped = control.Reaped(
            exit_code=max(code, 0),
            signal=max(-code, 0),
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_bytes=usage.ru_maxrss * 1024,
        )
        control.send(self.sock, asdict(reaped))

    def _bury_orphans(self) -> None:
        """Reap ended processes that came to us as subreaper, and none of our own children."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None or ended.si_pid in self.children:
                return
            os.waitpid(ended.si_pid, 0)

    def _kill_all(self) -> None:
        for pid in self.children:
            self._kill(pid)

    @staticmethod
    def _kill(pid: int) -> None:
        """Kill the child and its session; it may not have become a session's leader yet."""
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(pid, signal.SIGKILL)


def _fresh_streams() -> None:
    """Open text streams over descriptors 1 and 2 that keep nothing back."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        raw = io.FileIO(fd, "w", closefd=False)
        stream = io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.stdin = None
