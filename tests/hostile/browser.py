"""Chromium without a window, driven through its own pipe: what a page ran, and what it asked for."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 60.0
OPTIONS = (
    *("--headless=new", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--remote-debugging-pipe", "--no-default-browser-check"),
)

LAUNCH = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The browser reads its orders from descriptor 3 and answers on 4."""


def find() -> str:
    """The browser's path, "" when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), "")


@dataclass(frozen=True)
class Visit:
    """One page: the value asked for, the addresses requested, what the console said, the DOM."""

    value: Any
    requests: tuple[str, ...]
    console: tuple[str, ...]
    dom: str


class Browser:
    """One browser process with a profile of its own; use as a context manager."""

    def __init__(self, path: str) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        (theirs_in, self._out), (self._in, theirs_out) = os.pipe(), os.pipe()
        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", LAUNCH, str(theirs_in), str(theirs_out), path),
                *(*OPTIONS, *sandbox, f"--user-data-dir={self._profile.name}"),
            ],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self._profile.name},
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._buffer = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            self._ask("Browser.close")
        os.close(self._out)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        self._profile.cleanup()

    def visit(self, address: str, expression: str, *, settle: float = 0.7) -> Visit:
        """Open a page, let it do what it does, and ask for the value of `expression`."""
        self._events.clear()
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        session = attached["sessionId"]
        for domain in ("Network", "Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable", session=session)
        self._ask("Page.navigate", session=session, url=address)
        self._until("Page.loadEventFired")
        self._collect(settle)
        value = self._evaluate(session, expression)
        dom = self._evaluate(session, "document.documentElement.outerHTML")
        self._ask("Target.closeTarget", targetId=target)
        return Visit(value, tuple(self._requests()), tuple(self._console()), dom)

    def _evaluate(self, session: str, expression: str) -> Any:
        asked = self._ask("Runtime.evaluate", session=session, expression=expression)
        return asked["result"].get("value")

    def _requests(self) -> list[str]:
        sent = [e["params"] for e in self._events if e.get("method") == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]

    def _console(self) -> list[str]:
        logged = [e["params"]["entry"] for e in self._events if e.get("method") == "Log.entryAdded"]
        return [entry.get("text", "") for entry in logged]

    # ── the protocol: JSON, each message ended by a zero byte ────────────────

    def _ask(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            said = self._next(SECONDS)
            if said.get("id") == self._number:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result
            self._events.append(said)

    def _until(self, method: str) -> None:
        while not any(event.get("method") == method for event in self._events):
            self._events.append(self._next(SECONDS))

    def _collect(self, seconds: float) -> None:
        """Events of the next `seconds`: what a page does late."""
        until = time.monotonic() + seconds
        with contextlib.suppress(TimeoutError):
            while (left := until - time.monotonic()) > 0:
                self._events.append(self._next(left))

    def _next(self, seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while b"\0" not in self._buffer:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._in], [], [], left)[0]:
                raise TimeoutError("the browser said nothing")
            piece = os.read(self._in, 1 << 16)
            if not piece:
                raise EOFError("the browser ended")
            self._buffer += piece
        message, self._buffer = self._buffer.split(b"\0", 1)
        said: dict[str, Any] = json.loads(message)
        return said


def address(path: Path) -> str:
    """A `file:` URL."""
    return path.resolve().as_uri()
