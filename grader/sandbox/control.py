"""The control channel between judge and zygote: a few small messages.

    judge → zygote   ORDERS (driver and modules; once, the first)
                     SPAWN (limits; three descriptors ride along) · REAP (pid)
    zygote → judge   READY (a text of facts) · SPAWNED (pid; a pidfd rides along) · REAPED

The zygote is trusted, so this is a plain protocol; no submission ever holds
its descriptor. Used on both sides; imports nothing of the judge's.
"""

from __future__ import annotations

import array
import json
import socket
import struct
from dataclasses import asdict, dataclass
from typing import Any

LENGTH = struct.Struct("<I")
MAX_MESSAGE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may use. Bytes, seconds and counts; the judge keeps the clock besides.

    The reference needs less than 16 MiB. The rest is room for data that a file makes at
    import; more would only let two children a job, all at once, crowd out the machine.
    """

    memory_bytes: int = 512 << 20
    cpu_seconds: int = 30


@dataclass(frozen=True, slots=True)
class Reaped:
    """How a child's process ended: exit code or signal, CPU seconds, peak memory in bytes."""

    exit_code: int
    signal: int
    cpu_seconds: float
    peak_bytes: int


def send(sock: socket.socket, message: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
    """Send one message, with descriptors."""
    data = json.dumps(message).encode()
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    sock.sendmsg([LENGTH.pack(len(data)) + data], rights)


def receive(sock: socket.socket, max_fds: int = 3) -> tuple[dict[str, Any], list[int]]:
    """Return the next message and its descriptors; raises `EOFError` at the end."""
    fds = array.array("i")
    data, rights, _, _ = sock.recvmsg(LENGTH.size, socket.CMSG_LEN(max_fds * fds.itemsize))
    for level, kind, payload in rights:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    data += _exactly(sock, LENGTH.size - len(data)) if data else b""
    if not data:
        raise EOFError("the control channel is closed")
    (size,) = LENGTH.unpack(data)
    if size > MAX_MESSAGE:
        raise EOFError("the control channel is out of step")
    message: dict[str, Any] = json.loads(_exactly(sock, size))
    return message, list(fds)


def _exactly(sock: socket.socket, size: int) -> bytes:
    chunks = b""
    while len(chunks) < size:
        chunk = sock.recv(size - len(chunks))
        if not chunk:
            raise EOFError("the control channel is closed")
        chunks += chunk
    return chunks


def limits_message(limits: Limits) -> dict[str, Any]:
    """Return a SPAWN message."""
    return {"do": "spawn", **asdict(limits)}
