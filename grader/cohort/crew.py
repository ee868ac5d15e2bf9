"""The worker processes of a run, each of which grades one submission at a time."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

import grader
from grader.bounds import EXHAUSTED
from grader.cohort.worker import (
    Finished,
    NumbersAlone,
    Order,
    Work,
    WorkerFailure,
    set_aside,
)
from grader.errors import SandboxError
from grader.problem import Exam

ROOT = str(Path(grader.__file__).parents[1])
BOOT = (
    "import sys; sys.path.insert(0, sys.argv[2]); "
    "from multiprocessing.connection import Connection; "
    "from grader.cohort.worker import serve; serve(Connection(int(sys.argv[1])))"
)
"""A worker imports no `__main__` of the caller's, as multiprocessing's own would."""

SAFE_PATH = "-P"
"""Keeps the current folder off a worker's path: a stranger's `numpy.py` may lie there."""

MOST_DEATHS = 3
"""Workers that a submission may take down with it before it is set aside."""

STOP_SECONDS = 5.0
LONGEST = 60.0
"""Times a submission's own allowance after which its worker is ended on the clock: the children's
and the judge's processor time have ended long before, so it hangs."""


@dataclass(eq=False)
class _Worker:
    """One process: its pipe, the submission that it has, and since when."""

    process: subprocess.Popen[bytes]
    pipe: Connection
    has: Work | None = None
    since: float = 0.0

    def stop(self) -> None:
        """End it; its zygotes and their children end with it."""
        self.pipe.close()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Crew:
    """Up to `jobs` workers. Leaving the context ends them all.

    Without an `exam` the first worker of the run sets it, for all.
    """

    order: Order
    jobs: int
    boot: str = BOOT
    exam: Exam | None = None
    _workers: list[_Worker] = field(default_factory=list)
    _by_numbers: set[str] = field(default_factory=set)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for worker in self._workers:
            if kind is not None:  # interrupted: what is being graded is not waited for
                worker.process.kill()
            worker.pipe.close()  # all at once; each then leaves by itself
        for worker in self._workers:
            worker.stop()
        self._workers.clear()

    def grade(self, submissions: Iterator[Work]) -> Iterator[Finished]:
        """Yield each submission graded, in the order in which they are done.

        The next one is read only when a worker is free. A worker that dies is replaced
        and its submission tried again, `MOST_DEATHS` times in all; where it went beyond the
        bounds on the judge's own work, once more, by its numbers alone. Raises
        `SandboxError` when no worker can work on this machine.
        """
        again: deque[Work] = deque()
        deaths: dict[str, int] = {}
        while True:
            self._hand_out(again, submissions)
            busy = {w.pipe: w for w in self._workers if w.has is not None}
            if not busy:
                return
            for pipe in self._ready(busy):
                assert isinstance(pipe, Connection)
                worker = busy[pipe]
                assert worker.has is not None
                submission, worker.has = worker.has, None
                try:
                    answer = pipe.recv()
                except (EOFError, OSError):
                    self._workers.remove(worker)
                    worker.stop()
                    deaths[submission.id] = deaths.get(submission.id, 0) + 1
                    fault = ""
                    if worker.process.returncode in EXHAUSTED:
                        if submission.id in self._by_numbers:
                            fault = "even its numbers took the grader too long, or too much memory"
                        self._by_numbers.add(submission.id)
                    elif deaths[submission.id] >= MOST_DEATHS:
                        times = f"ended {MOST_DEATHS} times"
                        fault = f"the grader's own process {times} while it graded this"
                    if not fault:
                        again.append(submission)
                        continue
                    answer = set_aside(self.order, submission, fault)
                if isinstance(answer, WorkerFailure):
                    raise SandboxError(answer.why)
                self._hand_out(again, submissions)  # before this result is written down
                yield answer

    def _ready(self, busy: dict[Connection, _Worker]) -> list[object]:
        """Return the pipes at which there is news; ends the workers that hang."""
        longest = LONGEST * self.order.settings.allowance.seconds
        until = min(worker.since for worker in busy.values()) + longest
        ready = wait(list(busy), max(0.0, until - time.monotonic()))
        for worker in busy.values() if not ready else ():
            if worker.since + longest <= time.monotonic():
                worker.process.send_signal(signal.SIGPROF)  # as if it had gone beyond its bounds
        return list(ready)

    def examination(self) -> Exam:
        """Return the exam, set by a worker if there is none yet. Raises `SandboxError`."""
        if self.exam is None:
            self._staffed()
        assert self.exam is not None
        return self.exam

    def _hand_out(self, again: deque[Work], submissions: Iterator[Work]) -> None:
        """Give every free worker a submission, and start workers when there is work."""
        while True:
            free = next((w for w in self._workers if w.has is None), None)
            if free is None and len(self._workers) >= self.jobs:
                return
            submission = again.popleft() if again else next(submissions, None)
            if submission is None:
                return
            worker = free or self._staffed()
            worker.has, worker.since = submission, time.monotonic()
            alone = submission.id in self._by_numbers
            with suppress(OSError):  # it died idle: the wait sees its end, and tries again
                worker.pipe.send(NumbersAlone(submission) if alone else submission)

    def _staffed(self) -> _Worker:
        """Start the workers that are missing, side by side; gives one that is free."""
        new = [self._started() for _ in range(self.jobs - len(self._workers))]
        self._workers += new
        ignorant = new
        if self.exam is None:
            first, *ignorant = new
            first.pipe.send(None)
            answer = first.pipe.recv()
            if isinstance(answer, WorkerFailure):
                raise SandboxError(answer.why)
            self.exam = answer
        for worker in ignorant:
            worker.pipe.send(self.exam)
        return new[0]

    def _started(self) -> _Worker:
        near, far = Pipe()
        command = [sys.executable, SAFE_PATH, "-c", self.boot, str(far.fileno()), ROOT]
        process = subprocess.Popen(  # a group of its own: Ctrl-C is for the parent to hear
            command, pass_fds=(far.fileno(),), stdin=subprocess.DEVNULL, process_group=0
        )
        far.close()
        near.send(self.order)
        return _Worker(process, near)
