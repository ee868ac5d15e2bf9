"""Large pages for what every child inherits (zygote's side).

A fork copies an entry for each page that the zygote has written, and its end drops each of
them again: with torch that is 50,000 pages, and more time than the child's lock-down takes.
Where 512 of them lie in one large page it is one entry, until the child writes there. Linux
collapses pages on request since 6.1 (madvise(2), MADV_COLLAPSE), at the price of copying
them once: worth it for who forks many times.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from grader.sandbox.kernel import Kernel, LockdownError

COLLAPSE = 25
SIZE = 2 << 20
"""Bytes of a large page, on both known machines."""

Range = tuple[int, int]
"""First address, and the one after the last."""


def written_ranges() -> list[Range]:
    """Return the private memory of this process that is no file's; [] where there is no `/proc`."""
    try:
        rows = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return []
    spans = []
    for row in rows:
        span, rights, _, _, inode, *name = row.split(maxsplit=5)
        if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
            start, end = (int(word, 16) for word in span.split("-"))
            spans.append((start, end))
    return spans


def collapse(ranges: list[Range]) -> int:
    """Put what lies in `ranges` in large pages where that can be done; gives how many it were.

    What is there stays as it is: a range that is gone by now, or a kernel that cannot do it,
    costs nothing but the gain.
    """
    done = 0
    with contextlib.suppress(LockdownError):
        kernel = Kernel()
        for start, end in ranges:
            for at in range(-(-start // SIZE) * SIZE, end // SIZE * SIZE, SIZE):
                with contextlib.suppress(OSError):
                    kernel.call("madvise", at, SIZE, COLLAPSE)
                    done += 1
    return done
