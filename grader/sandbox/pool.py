"""The judge's hold on its zygotes: start one, fork children from it, end it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import threading
import time
from typing import Any

from grader.errors import IsolationError, SandboxError
from grader.sandbox import control
from grader.sandbox.control import Limits, Reaped
from grader.sandbox.probes import holds
from grader.sandbox.session import Child
from grader.sandbox.warm import Warming

PROBE_LIMITS = Limits(memory_bytes=64 << 20, cpu_seconds=5)
PROBE_SECONDS = 20.0
START_SECONDS = 120.0
"""How long a zygote may take to preload; a cold `import torch` from a slow disk takes tens."""


class Zygote:
    """A warm process of the given modules. Starting it does not wait; `spawn` does.

    Threads may share one: a lock keeps the control channel in step.
    """

    def __init__(
        self,
        driver: str,
        modules: tuple[str, ...],
        *,
        unconfined: bool = False,
        warming: Warming | None = None,
    ) -> None:
        """Start the process, or use `warming`, one that was started before."""
        if warming is None or warming.unconfined is not unconfined:
            warming = Warming(unconfined=unconfined)
        started = warming.taken()
        self._process, self._sock, self._errors = started.process, started.sock, started.errors
        with contextlib.suppress(OSError):  # whoever waits for it hears why it is gone
            control.send(self._sock, {"driver": driver, "modules": modules})
        self._lock = threading.Lock()
        self._facts: dict[str, str] | None = None
        self._confined, self._probed = not unconfined, False

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def facts(self) -> dict[str, str]:
        """Return what isolates its children: namespaces, a root, and what one child tried in vain.

        Waits until the zygote is ready. Raises `IsolationError` when a probe got through.
        """
        with self._lock:
            facts = self._wait_ready()
        if self._confined and not self._probed:
            with self.spawn(PROBE_LIMITS, PROBE_SECONDS) as child:
                reply = child.request("probe", {}, 1 << 16)
                text = reply.items.get("probes", "{}")
                words = bytes(child.output).decode("utf-8", "replace")
            tried = {str(k): str(v) for k, v in json.loads(text).items()}
            if not tried:
                raise IsolationError(f"no child could be confined: {words or reply.detail}")
            if not holds(tried):
                through = [name for name, value in tried.items() if value.startswith("OPEN")]
                raise IsolationError(f"the sandbox does not hold here: {', '.join(through)}")
            with self._lock:
                facts |= tried
                self._probed = True
        return facts

    def spawn(self, limits: Limits, seconds: float) -> Child:
        """Return a fresh child that has `seconds` to live, from now on the judge's clock."""
        with self._lock, contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            self._wait_ready()
            pipes = [os.pipe() for _ in range(3)]
            (request_r, request_w), (reply_r, reply_w), (output_r, output_w) = pipes
            for fd in (request_r, reply_w, output_w):
                theirs.callback(os.close, fd)
            for fd in (request_w, reply_r, output_r):
                ours.callback(os.close, fd)
            self._send(control.limits_message(limits), (request_r, reply_w, output_w))
            message, fds = self._receive()
            ours.pop_all()  # the child's from here on
        pid = int(message["pid"])
        deadline = time.monotonic() + seconds
        return Child(request_w, reply_r, output_r, fds[0], lambda: self._reap(pid), deadline)

    def close(self) -> None:
        """End the zygote and every child of it. Safe to call twice.

        One that was never waited for has no child, and need not finish its preloading.
        """
        self._sock.close()
        if self._facts is None:
            self._process.kill()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _reap(self, pid: int) -> Reaped:
        with self._lock:
            self._send({"do": "reap", "pid": pid})
            message, _ = self._receive()
        return Reaped(**message)

    def _wait_ready(self) -> dict[str, str]:
        if self._facts is None:
            if not select.select([self._sock], [], [], START_SECONDS)[0]:
                raise SandboxError(f"the sandbox did not start within {START_SECONDS:.0f} s")
            message, _ = self._receive()
            if message["tasks"] != 1:
                raise SandboxError(
                    f"the sandbox has {message['tasks']} threads and cannot fork safely; "
                    "is a threaded library preloaded?"
                )
            self._facts = dict(message["facts"])
        return self._facts

    def _send(self, message: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
        try:
            control.send(self._sock, message, fds)
        except OSError as error:
            raise SandboxError(self._last_words()) from error

    def _receive(self) -> tuple[dict[str, Any], list[int]]:
        try:
            return control.receive(self._sock)
        except (EOFError, OSError) as error:
            raise SandboxError(self._last_words()) from error

    def _last_words(self) -> str:
        """Return why the zygote is gone, from its own standard error."""
        if self._errors.closed:
            return "the sandbox process was closed"
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        self._errors.seek(0)
        tail = self._errors.read()[-2000:].decode("utf-8", "replace").strip()
        return f"the sandbox process ended: {tail or 'it left no message'}"
