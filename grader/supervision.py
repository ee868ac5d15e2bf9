"""One submission, graded in a process that may be ended: the judge's own work has an end.

The process that was called only waits. Light to import: it is forked before anything else.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

BY_NUMBERS = "--numbers-only"
"""The hidden option with which `grader grade` reads nothing of a submission."""

EXIT_UNDECIDED = 3
KILL_WITH_PARENT = 1
"""`PR_SET_PDEATHSIG` of prctl."""

BEYOND = "grader: reading this submission took the grader more than it may use for one"


def supervised(work: Callable[[list[str]], None], words: list[str]) -> int:
    """Run `work(words)` in a process of its own; where that went beyond its bounds, once more.

    Returns the exit status. The second time it is asked for the numbers alone.
    """
    for attempt in (words, [*words, BY_NUMBERS]):
        status = _run(work, attempt)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGPROF:
            return _as_shells_do(status)
        print(f"{BEYOND}; only its numbers count", file=sys.stderr)
    print(f"{BEYOND}, even for its numbers: a person has to look at it", file=sys.stderr)
    return EXIT_UNDECIDED


def _run(work: Callable[[list[str]], None], words: list[str]) -> int:
    """Return how a child ended that does the work."""
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        _end_with(parent)
        work(words)
        sys.exit()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child hears it as well
    try:
        return os.waitpid(child, 0)[1]
    finally:
        signal.signal(signal.SIGINT, before)


def _end_with(parent: int) -> None:
    """Let this process end when its parent is killed."""
    ctypes.CDLL(None).prctl(KILL_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(128 + signal.SIGKILL)


def _as_shells_do(status: int) -> int:
    """Return an exit status: the process's own, or 128 and the signal that ended it."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
