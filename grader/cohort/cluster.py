"""A cohort on a Dask cluster, whose workers keep warm crews.

A task carries one submission with its bytes, and returns its files: no file system is
shared. A grading process that dies is replaced beside the Dask
worker that it belongs to, so a submission that kills three of them is told from a machine
that was lost; the latter is Dask's own business, which tries elsewhere.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, islice
from types import TracebackType
from typing import Any

from distributed import (
    CancelledError,
    Client,
    Future,
    KilledWorker,
    WorkerPlugin,
    as_completed,
    get_worker,
)

from grader.cohort.crew import BOOT, Crew
from grader.cohort.store import versions
from grader.cohort.worker import Finished, Order, Work, set_aside
from grader.errors import CallerError, GraderError, HarnessError
from grader.problem import Exam

AHEAD = 2
"""Submissions in flight for each thread of the cluster: one that is graded, one that waits."""

LOOK_SECONDS = 2.0
"""How often it is asked how large the cluster is; it may grow and shrink meanwhile."""


class Post(WorkerPlugin):  # type: ignore[misc]  # distributed has half of its types
    """What a Dask worker keeps from task to task: a crew of one for each of its threads."""

    def __init__(self, name: str, order: Order, exam: Exam, boot: str) -> None:
        self.name, self.order, self.exam, self.boot = name, order, exam, boot

    def setup(self, worker: Any) -> None:
        """Prepare on a worker. Nothing is started before there is work."""
        self.idle: list[Crew] = []
        self.lock, self.closed = threading.Lock(), False
        self.threads = ThreadPoolExecutor(worker.state.nthreads, "grader")

    def teardown(self, worker: Any) -> None:
        """End what is idle, for the run is over; what is busy ends when it has done."""
        with self.lock:
            self.closed, idle = True, list(self.idle)
            self.idle.clear()
        for crew in idle:
            crew.__exit__(GeneratorExit)
        self.threads.shutdown(wait=False)

    def grade(self, submission: Work) -> Finished:
        """Return one submission, in a thread of ours."""
        with self.crew() as crew:
            [finished] = crew.grade(iter((submission,)))
        return finished

    @contextmanager
    def crew(self) -> Iterator[Crew]:
        """Return a crew for this thread alone, warm if there is one."""
        with self.lock:
            warm = self.idle.pop() if self.idle else None
        crew = warm or Crew(self.order, 1, self.boot, self.exam)
        try:
            yield crew
        except BaseException:
            crew.__exit__(GeneratorExit)
            raise
        with self.lock:
            if not self.closed:
                self.idle.append(crew)
                return
        crew.__exit__(GeneratorExit)


def _examined(order: Order, expected: dict[str, str]) -> Exam:
    """Return the exam of the run. Runs on a worker."""
    _same_versions(expected)
    with Crew(order, 1) as crew:
        return crew.examination()


async def _graded(name: str, expected: dict[str, str], submission: Work) -> Finished:
    """Grade one submission. Runs on a worker.

    A coroutine, though Dask would lend a thread: that thread would only wait for the grading
    process, and Dask's profiler looks at each of its threads a hundred times a second.
    """
    _same_versions(expected)
    post = get_worker().plugins[name]
    assert isinstance(post, Post)
    return await asyncio.get_running_loop().run_in_executor(post.threads, post.grade, submission)


def _same_versions(expected: dict[str, str]) -> None:
    """Raise `HarnessError` where the worker would give other results than this machine."""
    installed = versions()
    if installed != expected:
        differing = ", ".join(
            f"{p} {v} (not {expected[p]})" for p, v in installed.items() if v != expected[p]
        )
        raise HarnessError(f"the Dask worker {get_worker().address} has {differing}")


class Cluster:
    """Grades on the workers of a Dask cluster; `client` stays the caller's.

    A submission is tried again elsewhere when its machine is lost, as often as the
    scheduler's `allowed-failures` has it. Workers may come and go.
    """

    def __init__(
        self, order: Order, client: Client, exam: Exam | None = None, boot: str = BOOT
    ) -> None:
        self.order, self.client, self.exam, self.boot = order, client, exam, boot
        self.name = f"grader-{secrets.token_hex(8)}"
        self.versions = versions()
        self._flying: dict[Future, Work] = {}
        self._posted = False
        self._threads, self._looked = 1, -LOOK_SECONDS

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take back what is in flight, and everything of ours that stands on the workers."""
        if self.client.status != "running":
            return
        if self._flying:
            self.client.cancel(list(self._flying))
            self._flying.clear()
        if self._posted:
            self.client.unregister_worker_plugin(self.name)

    def grade(self, submissions: Iterator[Work]) -> Iterator[Finished]:
        """Grade as `Workforce` says. Raises `HarnessError` when the scheduler is gone."""
        first = next(submissions, None)
        if first is None:
            return
        self._occupy()
        waiting, done = chain((first,), submissions), as_completed(loop=self.client.loop)
        self._send(waiting, done)
        for future in done:
            submission = self._flying.pop(future)
            self._send(waiting, done)
            yield self._outcome(future, submission)

    def _occupy(self) -> None:
        """Set the exam on one worker, and send it to all, those too that come later."""
        if self.exam is None:
            asked = self.client.submit(_examined, self.order, self.versions, pure=False)
            self.exam = asked.result()
        post = Post(self.name, self.order, self.exam, self.boot)
        self.client.register_plugin(post, name=self.name)
        self._posted = True

    def _send(self, submissions: Iterator[Work], done: as_completed) -> None:
        """Put as many in flight as there is room for."""
        for submission in islice(submissions, max(0, self._room() - len(self._flying))):
            future = self.client.submit(_graded, self.name, self.versions, submission, pure=False)
            self._flying[future] = submission
            done.add(future)

    def _room(self) -> int:
        """Return how many submissions may be in flight."""
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._threads = sum(self.client.nthreads().values()) or 1
            self._looked = time.monotonic()
        return AHEAD * self._threads

    def _outcome(self, future: Future, submission: Work) -> Finished:
        """Return what came of one task; a machine's end is no fault of the submission's."""
        try:
            finished: Finished = future.result()
        except KilledWorker as error:
            fault = f"the machines that were to grade this were lost, {error.allowed_failures + 1}"
            return set_aside(self.order, submission, f"{fault} in all")
        except GraderError:
            raise
        except (CancelledError, OSError) as error:
            raise HarnessError(f"the Dask cluster is gone: {error!r}") from error
        except Exception as error:  # of the cluster's: the others are graded all the same
            fault = f"the cluster could not grade it: {error!r}"
            return set_aside(self.order, submission, fault)
        return finished


def connect(address: str, seconds: float = 10.0) -> Client:
    """Return a client of the scheduler at `address` (tcp://10.0.0.1:8786). Raises `CallerError`."""
    if not address.rpartition(":")[2].isdigit():
        raise CallerError(f"{address!r} is no scheduler's address, such as tcp://10.0.0.1:8786")
    try:
        return Client(address, set_as_default=False, timeout=seconds)
    except (OSError, ValueError, TypeError) as error:
        raise CallerError(f"{address}: no Dask scheduler answers there ({error})") from error
