"""A zygote on its way: the process, before it is told what to preload and whom to serve.

Light to import, so that a command can start one before it has read its own arguments:
`import torch` is the longest step of a run, and everything else fits beside it.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

CLEAN_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""All that a zygote, and so a submission, sees of the environment. Threads: see `zygote`."""

BOOT = """
import os, resource, sys
most = resource.getrlimit(resource.RLIMIT_AS)[1]
resource.setrlimit(resource.RLIMIT_AS, (most, most))
sys.path.append(sys.argv.pop(1))
from grader.sandbox.zygote import main
os._exit(main(sys.argv[1:]))
"""
"""The zygote's first words (the judge's bound on its own memory is none of the zygote's, and the
package may stand where `-I` does not look), and its last:
taking torch down in good order would cost every run 0.1 s."""

ROOT = str(Path(__file__).parents[2])
"""Where the package stands."""


class Warming:
    """The process, which imports `first` and then waits for its orders, and our end of its socket.

    Use as a context manager: whoever has not `taken` it by then ends it.
    """

    def __init__(self, first: tuple[str, ...] = (), *, unconfined: bool = False) -> None:
        self.unconfined = unconfined
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        mode = "unconfined" if unconfined else "confined"
        with theirs:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-c", BOOT, ROOT),
                    *(str(theirs.fileno()), mode, *first),
                ],
                pass_fds=(theirs.fileno(),),
                env=CLEAN_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                cwd="/",
                process_group=0,  # an interrupt typed at the terminal is the judge's alone
            )
        self._taken = False

    def taken(self) -> Warming:
        """Return itself, for somebody who will close it: process, socket and errors."""
        self._taken = True
        return self

    def __enter__(self) -> Warming:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._taken:
            self.end()

    def end(self) -> None:
        """End it where it stands."""
        self.sock.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.errors.close()
