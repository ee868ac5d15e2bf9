"""What the judge's own process may use for one submission, held by the kernel.

The time is the process's own on the processors, so that neither a busy machine nor what runs
confined counts; at its end the process is ended, for no exception could be raised in the
middle of Python's parser, or anywhere without leaving half a message in a pipe.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.limits import WORK_BYTES, WORK_SECONDS

OUT_OF_MEMORY = 86
"""Exit status of a process that may have no more."""

EXHAUSTED = (-signal.SIGPROF, OUT_OF_MEMORY)
"""How a process ends that went beyond its bounds, as `subprocess` has it."""


@contextmanager
def bounded(seconds: float = WORK_SECONDS, memory: int = WORK_BYTES) -> Iterator[None]:
    """End this process when what is inside takes more; what it starts is not bound by it."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    ceiling = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform == "linux":
        most = address_space() + memory
        most = most if ceiling[1] == resource.RLIM_INFINITY else min(most, ceiling[1])
        resource.setrlimit(resource.RLIMIT_AS, (most, ceiling[1]))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        resource.setrlimit(resource.RLIMIT_AS, ceiling)


def address_space() -> int:
    """Return the bytes of address space that this process has."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    return pages * resource.getpagesize()
