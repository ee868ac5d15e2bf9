"""`grader view --review` as a process of its own, and a client that speaks to it."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ITEM = "mark/followup-q1"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A running server: its process and the address it printed."""

    process: subprocess.Popen[str]
    address: str
    out: Path

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def home(self) -> str:
        return urlsplit(self.address).path

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            found = {k.lower(): v for k, v in response.getheaders()}
            return Answer(response.status, found, response.read().decode())
        finally:
            connection.close()

    def save(
        self, submission: str, field: str, value: Any, *, base: int = 0, who: str = "Ada"
    ) -> Answer:
        body = json.dumps({"field": field, "value": value, "base": base, "who": who}).encode()
        headers = {"Content-Type": "application/json", "Origin": f"http://{self.host}"}
        return self.ask("POST", f"{self.home}s/{submission}/changes", body, headers)

    def state(self, submission: str) -> Any:
        return self.ask("GET", f"{self.home}s/{submission}/changes").json()


def mark(points: float, note: str = "") -> dict[str, Any]:
    return {"points": points, "ticked": [], "note": note}


@contextmanager
def served(out: Path, *options: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "grader", "view", str(out), "--review", "--no-browser"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Served(process, process.stdout.readline().strip(), out)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        finally:
            process.kill()
            process.stdout.close()
