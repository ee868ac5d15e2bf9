"""What a submission tried, as its own interpreter tells it; hooks stay, so in forks only."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import confined as c
import pytest

from grader.sandbox import audit

pytestmark = [pytest.mark.slow, c.linux_only]


def attempts(*tries: Callable[[], object]) -> list[str]:
    def action() -> str:
        seen = audit.install()
        for tried in tries:
            with contextlib.suppress(Exception):
                tried()
        return json.dumps(seen())

    end = c.confined(action)
    assert end.code == 0, end
    result: list[str] = json.loads(end.said)
    return result


def test_attempts_are_named_once() -> None:
    assert attempts(
        lambda: os.open("/etc/passwd", os.O_RDONLY),
        Path("/etc/passwd").read_text,
        os.fork,
        lambda: os.kill(1, 9),
        lambda: socket.socket(),
    ) == ["open a file: '/etc/passwd'", "start a process", "signal a process: 1", "make a socket"]


def test_twenty_at_most_and_cut_short() -> None:
    seen = attempts(*(Path(f"/{n}{'x' * 500}\x1b").read_text for n in range(50)))
    assert len(seen) == audit.CAP
    assert all(len(line) < 120 and line.isprintable() for line in seen)


def test_an_objects_own_code_is_not_run() -> None:
    class Loud(str):
        __slots__ = ()

        def __getitem__(self, _key: object) -> str:
            raise SystemExit

        __repr__ = __str__ = __getitem__  # type: ignore[assignment]

    assert attempts(lambda: os.open(Loud("/etc/passwd"), os.O_RDONLY)) == ["open a file"]


def test_computing_is_no_attempt() -> None:
    assert attempts(lambda: sum(range(10)), lambda: eval("1 + 1")) == []
