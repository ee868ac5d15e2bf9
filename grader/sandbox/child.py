"""The child's side: one process, one submission, one request after another.

Runs in a process forked by the zygote and confined before it reads a byte. It
executes what it is sent, and says what came of it; whatever it says is
hearsay, for the submission lives in the same process and may have rewritten
all of this. The judge therefore believes only arrays, and compares them itself.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from grader.sandbox import probes, wire

REQUEST = wire.Bounds(items=1024, payload=256 << 20)
"""A `load` has two items for each of the 400 files that a submission may have."""

TRACEBACK_CHARS = 12_000
MAX_FRAMES = 40
NAME_CHARS = 500

Handler = Callable[[str, dict[str, Any]], dict[str, Any]]


def serve(
    request_fd: int,
    reply_fd: int,
    handle: Handler,
    isolation: dict[str, str],
) -> None:
    """Answer requests until the judge closes the pipe. `handle(kind, items) -> items`.

    An item `ended` (text) in the answer names how the call ended; default "ok".
    Four kinds are answered here: `isolation` says what confines this process
    (asked before the submission is sent, while the answer can be believed),
    `probe` tries what it must not be able to do (in a child that gets none),
    `load-oracle` replaces `handle` by that of a module that the judge sends. `several`
    stands for the requests whose kinds it lists, one after another.
    """

    def receive(size: int) -> bytes:
        chunks, missing = [], size
        while missing:
            chunk = os.read(request_fd, min(missing, 1 << 20))
            if not chunk:
                os._exit(0)
            chunks.append(chunk)
            missing -= len(chunk)
        return b"".join(chunks)

    while True:
        frame = wire.read(receive, REQUEST)
        if frame.kind == "isolation":
            answer = {"isolation": json.dumps(isolation)}
        elif frame.kind == "probe":
            answer = {"probes": json.dumps(probes.probe())}
        elif frame.kind == "load-oracle":
            handle, answer = _module_handler(frame.items), {}
        elif frame.kind == "several":
            answer = _several(handle, frame.items)
        else:
            answer = answer_to(handle, frame.kind, dict(frame.items))
        ended = answer.pop("ended", "ok")
        _flush()
        try:
            reply = wire.encode(ended, frame.nonce, answer)
        except wire.WireError as error:
            reply = wire.encode("bad-return", frame.nonce, {"error": str(error)})
        _send(reply_fd, reply)


def _several(handle: Handler, items: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers to the requests `0.…`, `1.…` in one; `3.X` is item `X` of number 3."""
    kinds, answer = items["kinds"].split(), dict[str, Any]()
    parts: list[dict[str, Any]] = [{} for _ in kinds]
    for name, value in items.items():
        number, dot, own = name.partition(".")
        if dot:
            parts[int(number)][own] = value
    for count, (kind, part) in enumerate(zip(kinds, parts, strict=True)):
        reply = {"ended": "ok"} | answer_to(handle, kind, part)
        answer |= {f"{count}.{name}": value for name, value in reply.items()}
    return answer


def answer_to(handle: Handler, kind: str, items: dict[str, Any]) -> dict[str, Any]:
    """Return `handle`'s answer; anything it raises, `SystemExit` too, becomes an answer."""
    try:
        return handle(kind, items)
    except MemoryError as error:
        return {"ended": "memory-limit", **describe(error)}
    except BaseException as error:  # the candidate may raise whatever there is
        return {"ended": "raised", **describe(error)}


def describe(error: BaseException, *, hidden: tuple[str, ...] = (__file__,)) -> dict[str, Any]:
    """Return an exception as items: one line, the traceback's text, and its frames.

    `error`, `traceback`, `frames` (JSON: objects with `file`, `line`, `function`); frames
    of the files in `hidden`, the harness's own, are left out.
    """
    try:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename not in hidden]
        if isinstance(error, SyntaxError) and error.filename and error.lineno:
            frames.append(traceback.FrameSummary(error.filename, error.lineno, "<module>"))
        lines = "".join(traceback.format_exception_only(error)).splitlines()
        line = next(x for x in lines if x.strip() and not x[0].isspace())  # after a SyntaxError's
        lines = ["Traceback (most recent call last):\n", *traceback.format_list(frames)]
        text = "".join([*lines, *traceback.format_exception_only(error)])
    except BaseException:  # an exception whose own __str__ raises
        frames, line, text = [], type(error).__name__, type(error).__name__
    places = [
        {"file": f.filename[:NAME_CHARS], "line": f.lineno, "function": f.name[:NAME_CHARS]}
        for f in frames[-MAX_FRAMES:]
        if f.lineno is not None
    ]
    return {
        "error": line[:2000],
        "traceback": text[-TRACEBACK_CHARS:],
        "frames": json.dumps(places),
    }


def _module_handler(items: dict[str, Any] | Any) -> Handler:
    """Return `handle` of a trusted module whose source the judge sends (the oracle)."""
    namespace: dict[str, Any] = {"__name__": "oracle"}
    exec(compile(items["source"], "<oracle>", "exec"), namespace)
    handler: Handler = namespace["handle"]
    return handler


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # a submission may have replaced or closed it
            continue


def _send(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
