"""Standard output and error that outlive their reader: `grader cohort … | head` goes on grading.

A reader that leaves, or a terminal that cannot show a letter, is no reason to end a run whose
results go to the disk.
"""

from __future__ import annotations

import errno
import io
import sys
from typing import TextIO

GONE = (errno.EPIPE, errno.EIO, errno.ECONNRESET)
"""What writing gives once nobody reads: a closed pipe, a terminal that has hung up."""


class Outlet(io.FileIO):
    """A descriptor to write to. Once its reader is gone, what is written goes nowhere."""

    gone = False

    def write(self, data: object) -> int:
        """Return how many bytes were taken. Raises `OSError` for what is no lost reader."""
        size = memoryview(data).nbytes  # type: ignore[arg-type]
        if self.gone:
            return size
        try:
            return super().write(data) or 0  # type: ignore[arg-type]
        except OSError as error:
            if error.errno not in GONE:
                raise
            self.gone = True
            return size


def lasting(stream: TextIO | None) -> TextIO:
    """Return a stream to the same place that neither a lost reader nor an odd letter ends."""
    try:
        assert stream is not None
        raw = Outlet(stream.fileno(), "w", closefd=False)
    except (AssertionError, OSError, ValueError):  # closed before we began
        return io.StringIO()
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.isatty() or stream is sys.stderr,
    )
