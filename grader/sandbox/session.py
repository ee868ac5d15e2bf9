"""The judge's end of one child: requests out, frames in, output drained, one deadline.

Nothing read here is trusted. A reply must echo the request's nonce, so that
it cannot have been written before the request arrived; what arrives beside
the one reply awaited ends the child.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import select
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.records import Ended
from grader.sandbox import wire
from grader.sandbox.control import Reaped

REPLY_ITEMS = 256
GREETING_BYTES = 64 * 1024
READ_BYTES = 64 * 1024
"""Read at once where less is awaited: a frame's header, table and payload mostly come together."""

OUTPUT_KEPT = 16 * 1024
"""Bytes of output kept for the report, of each child."""

OUTPUT_LIMIT = 8 << 20
"""Bytes of output after which a child is ended: a print per example of every case stays below."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How one request ended, and what came with it.

    `seconds` passed on the judge's clock; `cpu_seconds` is the processor time
    that the kernel charged to the child meanwhile, which a busy machine leaves alone.
    """

    ended: Ended
    items: Mapping[str, Any]
    seconds: float
    cpu_seconds: float
    detail: str = ""


class _Gone(Exception):
    """The child will not answer; `ended` says why."""

    def __init__(self, ended: Ended, detail: str) -> None:
        super().__init__(detail)
        self.ended, self.detail = ended, detail


class Child:
    """One confined process. Use as a context manager; `close` kills and reaps it."""

    def __init__(
        self, request_fd: int, reply_fd: int, output_fd: int, pidfd: int, reap: Any, deadline: float
    ) -> None:
        """Descriptors of the judge's ends; `reap()` gives `Reaped`; `deadline` is monotonic."""
        self._request_fd, self._reply_fd, self._output_fd = request_fd, reply_fd, output_fd
        self._pidfd, self._reap = pidfd, reap
        self._open = True
        self.deadline = self._until = deadline
        self.output = bytearray()
        self.output_bytes = self._output_of_request = 0
        self.gone: _Gone | None = None
        self._came_up = False
        self._arrived = bytearray()
        self._cpu_clock = _cpu_clock(pidfd)
        self.reaped: Reaped | None = None
        for fd in (request_fd, reply_fd, output_fd):
            os.set_blocking(fd, False)
        self._polls = {reply_fd: self._poll(reply_fd, select.POLLIN)}

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Return whether a further request can be answered."""
        return self.gone is None

    def extend(self, seconds: float) -> None:
        """Let it live for `seconds` from now on, whatever it had left."""
        self.deadline = time.monotonic() + seconds

    def listen(self) -> None:
        """Take what it has printed so far; a flood ends it only when it is asked again."""
        with contextlib.suppress(_Gone):
            self._drain()

    def greet(self) -> Reply:
        """Ask what confines it, before it is sent a byte of a submission.

        From here on an end without an answer is the submission's doing, not the harness's.
        """
        return self.request("isolation", {}, GREETING_BYTES)

    def request_several(
        self, requests: Sequence[tuple[str, Mapping[str, Any], int]], seconds: float
    ) -> list[Reply]:
        """Send requests (kind, items, bytes of the reply) in one frame; gives a reply to each.

        None at all where they do not all come back in time: which one was at fault shows when
        each is made by itself. The time of each is an equal share of the whole: where time
        matters, a request is made alone. To wake the other side costs more than a small
        request does, here 0.2 ms for either.
        """
        items: dict[str, Any] = {"kinds": " ".join(kind for kind, _, _ in requests)}
        for number, (_, own, _) in enumerate(requests):
            items |= {f"{number}.{name}": value for name, value in own.items()}
        room, count = sum(room for _, _, room in requests), len(requests)
        reply = self.request("several", items, room, seconds, count)
        return _split(reply, count) if reply.ended is Ended.OK else []

    def request(
        self,
        kind: str,
        items: Mapping[str, Any],
        reply_bytes: int,
        seconds: float = math.inf,
        replies: int = 1,
    ) -> Reply:
        """Send one request and wait for its reply of at most `reply_bytes` of payload.

        It has `seconds`, and never more than the child itself has left. `replies` is how many
        times as many items the reply may have.
        """
        if self.gone is not None:
            return Reply(Ended.NOT_RUN, {}, 0.0, 0.0, str(self.gone))
        started, charged = time.perf_counter(), self._charged()
        nonce = secrets.randbits(64)
        self._until = min(self.deadline, time.monotonic() + seconds)
        try:
            self._drain()
            self._output_of_request = 0
            if self._unasked():
                raise _Gone(Ended.VIOLATION, "wrote to the judge's pipe without being asked")
            self._write(wire.encode(kind, nonce, items))
            frame = wire.read(self._receive, wire.Bounds(REPLY_ITEMS * replies, reply_bytes))
            if frame.nonce != nonce:
                raise _Gone(Ended.VIOLATION, "answered a request that was never made")
            self._came_up = True
            ended = _ended(frame.kind)
            taken, used = time.perf_counter() - started, self._charged() - charged
            return Reply(ended, frame.items, taken, used)
        except wire.WireError as error:
            self._end(_Gone(Ended.VIOLATION, f"wrote bytes that are no reply: {error}"))
        except _Gone as gone:
            self._end(gone)
        assert self.gone is not None
        taken = time.perf_counter() - started
        return Reply(self.gone.ended, {}, taken, taken, self.gone.detail)

    def _charged(self) -> float:
        """Return the child's processor seconds so far; the wall's where the kernel tells none."""
        try:
            return time.clock_gettime(self._cpu_clock)
        except OSError:
            return time.perf_counter()

    def close(self) -> Reaped:
        """Kill what is left, reap it, drain its last words, close every descriptor."""
        if self.reaped is None:
            try:
                if self._open:
                    with contextlib.suppress(OSError):
                        signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
                self.reaped = self._reap()
            finally:  # the zygote may be gone, and the descriptors are ours all the same
                self._release()
        return self.reaped

    def _release(self) -> None:
        """Drain the last words and close every descriptor, once."""
        if self._open:
            self._open = False
            with contextlib.suppress(_Gone):
                self._drain()
            for fd in (self._request_fd, self._reply_fd, self._output_fd, self._pidfd):
                os.close(fd)
        self.gone = self.gone or _Gone(Ended.NOT_RUN, "the process was closed")

    # ── the pipes ────────────────────────────────────────────────────────────

    def _poll(self, fd: int, event: int) -> select.poll:
        """Return what waits for `fd`, and hears of output and of the process's end meanwhile."""
        poll = select.poll()
        poll.register(fd, event)
        poll.register(self._output_fd, select.POLLIN)
        poll.register(self._pidfd, select.POLLIN)
        return poll

    def _wait(self, fd: int, event: int) -> None:
        """Wait until `fd` is ready; output is drained meanwhile. Raises `_Gone`."""
        poll = self._polls.get(fd) or self._poll(fd, event)
        while True:
            left = self._until - time.monotonic()
            if left <= 0:
                raise _Gone(Ended.TIMEOUT, "the time was up")
            ready = dict(poll.poll(left * 1000))
            if self._output_fd in ready:
                self._drain()
                if ready[self._output_fd] & select.POLLHUP:
                    poll.unregister(self._output_fd)
            if fd in ready:
                return
            if self._pidfd in ready:
                raise _Gone(Ended.CRASH, "the process ended")

    def _receive(self, size: int) -> bytes:
        """Return exactly `size` bytes of the reply; what came with them waits for the next call."""
        while len(self._arrived) < size:
            self._wait(self._reply_fd, select.POLLIN)
            with contextlib.suppress(BlockingIOError):
                chunk = os.read(self._reply_fd, max(size - len(self._arrived), READ_BYTES))
                if not chunk:
                    raise _Gone(Ended.CRASH, "the process closed its pipe")
                self._arrived += chunk
        taken = bytes(memoryview(self._arrived)[:size])
        del self._arrived[:size]
        return taken

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._request_fd, view) :]
            except BlockingIOError:
                self._wait(self._request_fd, select.POLLOUT)
            except BrokenPipeError:
                raise _Gone(Ended.CRASH, "the process ended") from None

    def _drain(self) -> None:
        """Take what the submission printed; keep the start, count the rest, end a flood."""
        while True:
            try:
                chunk = os.read(self._output_fd, 1 << 16)
            except BlockingIOError:
                return
            if not chunk:
                return
            self.output_bytes += len(chunk)
            self._output_of_request += len(chunk)
            self.output += chunk[: max(0, OUTPUT_KEPT - len(self.output))]
            if self._output_of_request > OUTPUT_LIMIT:
                raise _Gone(Ended.OUTPUT_LIMIT, f"printed more than {OUTPUT_LIMIT >> 20} MiB")

    def _unasked(self) -> bool:
        """Return whether a reply lies in the pipe, or came with the last, without a request."""
        if self._arrived:
            return True
        poll = select.poll()
        poll.register(self._reply_fd, select.POLLIN)
        return any(event & select.POLLIN for _, event in poll.poll(0))

    def _end(self, gone: _Gone) -> None:
        """Note that the child is over. How its process ended may say more than the pipe did."""
        self.gone = gone
        reaped = self.close()
        if gone.ended is Ended.CRASH:
            self.gone = _how_it_ended(reaped, bytes(self.output[-200:]), came_up=self._came_up)


def _cpu_clock(pidfd: int) -> int:
    """Return the id of the processor-time clock of the process behind `pidfd`.

    As `clock_getcpuclockid(3)` makes it from the process's number in our own
    namespace, which the kernel tells beside the descriptor.
    """
    try:
        facts = Path(f"/proc/self/fdinfo/{pidfd}").read_text()
        pid = next(int(row.split()[1]) for row in facts.splitlines() if row.startswith("Pid:"))
    except (OSError, StopIteration, ValueError):
        return NO_CLOCK
    return (~pid << 3) | 2 if pid > 0 else NO_CLOCK


NO_CLOCK = -1
"""No valid clock: `clock_gettime` refuses it."""

_REPORTABLE = frozenset(
    e.value for e in (Ended.OK, Ended.RAISED, Ended.BAD_RETURN, Ended.MISSING, Ended.FRAMEWORK)
) | {Ended.MEMORY_LIMIT.value}
"""What a child may say of itself; every other ending is the judge's own observation."""


def _ended(word: object) -> Ended:
    """Return how a call ended, by the child's own word."""
    return Ended(word) if word in _REPORTABLE else Ended.BAD_RETURN


def _split(reply: Reply, count: int) -> list[Reply]:
    """Return the replies in a reply to `count` requests."""
    parts: list[dict[str, Any]] = [{} for _ in range(count)]
    numbers = {str(number): part for number, part in enumerate(parts)}
    for name, value in reply.items.items():
        number, _, own = name.partition(".")
        if number in numbers:
            numbers[number][own] = value
    time_of_each = (reply.seconds / count, reply.cpu_seconds / count)
    endings = [part.pop("ended", "") for part in parts]
    return [
        Reply(_ended(word if isinstance(word, str) else ""), part, *time_of_each)
        for word, part in zip(endings, parts, strict=True)
    ]


def _how_it_ended(reaped: Reaped, last_words: bytes, *, came_up: bool) -> _Gone:
    """Return the verdict on a process that ended by itself or by the kernel's hand.

    A process that never answered never saw the submission: that is our fault.
    """
    if not came_up:
        return _Gone(Ended.HARNESS, f"the process did not come up (status {reaped.exit_code})")
    if b"libgomp: Thread creation failed" in last_words:
        return _Gone(Ended.VIOLATION, "tried to start threads")
    if reaped.signal == signal.SIGSYS:
        return _Gone(Ended.VIOLATION, "made a system call that is not allowed")
    if reaped.signal == signal.SIGXCPU:
        return _Gone(Ended.TIMEOUT, "used up its processor time")
    if reaped.signal == signal.SIGXFSZ:
        return _Gone(Ended.VIOLATION, "wrote to a file")
    if reaped.signal:
        name = signal.Signals(reaped.signal).name if reaped.signal < 65 else str(reaped.signal)
        return _Gone(Ended.CRASH, f"ended by {name}")
    return _Gone(Ended.CRASH, f"left with exit status {reaped.exit_code} without an answer")
