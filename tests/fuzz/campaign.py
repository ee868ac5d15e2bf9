"""One fuzzing run with an end: so many seconds or inputs, then the figures."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import atheris

SECONDS, INPUTS = 60.0, 1 << 62
SLOW_SECONDS = 5.0
"""An input that takes longer counts as a failure: bytes must not buy time."""
SHOWN = 10


class Campaign:
    """Feeds atheris's inputs to a function, and counts those at which it raises."""

    def __init__(
        self, name: str, one_input: Callable[[bytes], None], seeds: Sequence[bytes], max_len: int
    ) -> None:
        self.name, self.one_input, self.seeds, self.max_len = name, one_input, seeds, max_len
        self.tried = 0
        self.slowest = 0.0
        self.failures: dict[str, bytes] = {}
        self.failed = 0

    def run(self, argv: list[str]) -> None:
        """Does not return: ends the process with 0, or with 1 after a failure."""
        self.seconds = float(argv[1]) if len(argv) > 1 else SECONDS
        self.inputs = int(argv[2]) if len(argv) > 2 else INPUTS
        self.started = time.monotonic()
        corpus = tempfile.TemporaryDirectory(prefix="fuzz-")
        for number, seed in enumerate(self.seeds):
            (Path(corpus.name) / f"seed-{number}").write_bytes(seed)
        self.corpus = corpus
        options = [f"-max_len={self.max_len}", "-timeout=60", "-verbosity=0", "-rss_limit_mb=2048"]
        atheris.Setup([argv[0], *options, corpus.name], self._try)
        atheris.Fuzz()

    def _try(self, data: bytes) -> None:
        started = time.monotonic()
        try:
            self.one_input(data)
        except Exception as error:
            self._note(error, data)
        taken = time.monotonic() - started
        self.slowest = max(self.slowest, taken)
        if taken > SLOW_SECONDS:
            self._note(TimeoutError(f"{taken:.1f} s"), data)
        self.tried += 1
        if self.tried >= self.inputs or time.monotonic() - self.started >= self.seconds:
            self._end()

    def _note(self, error: Exception, data: bytes) -> None:
        """Keep one input for each place at which it raised."""
        self.failed += 1
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "slow"
        self.failures.setdefault(f"{place} {type(error).__name__}: {str(error)[:200]}", data)

    def _end(self) -> None:
        seconds = time.monotonic() - self.started
        print(
            f"{self.name}: {self.tried} inputs in {seconds:.0f} s, {self.failed} failures, "
            f"slowest {1000 * self.slowest:.0f} ms"
        )
        for what, data in list(self.failures.items())[:SHOWN]:
            print(f"  {what}\n    {data[:300]!r}")
        sys.stdout.flush()
        self.corpus.cleanup()
        os._exit(1 if self.failures else 0)
