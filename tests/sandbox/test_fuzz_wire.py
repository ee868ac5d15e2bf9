"""A child that writes whatever it likes into the judge's pipe gets a verdict, and in time.

`tests/fuzz/fuzz_wire.py` tries millions of frames on the reader alone; here each comes
from a real confined child, on top of a true nonce or not, before a true reply or not.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.child.reports import LoadReport
from grader.observe.modules import NUMPY_MODULES
from grader.observe.replies import read_report
from grader.observe.zygotes import DRIVER
from grader.records import Ended
from grader.sandbox import wire
from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote
from grader.sandbox.session import Reply

CHILDREN, FRAMES = 300, 1000
SECONDS = 0.25
"""A child's time for its load; a frame that promises more than comes waits for all of it."""
OWN_SECONDS = 10.0
ROOM = 4096
BOUNDS = wire.Bounds(items=256, payload=ROOM)

FORGER = """
import os, sys
data, numbered, stays = {data!r}, {numbered!r}, {stays!r}
caller, nonce = sys._getframe(), 0
while caller is not None and not nonce:
    for value in list(caller.f_locals.values()):
        if isinstance(getattr(value, "nonce", None), int):
            nonce = value.nonce
    caller = caller.f_back
if numbered:
    data = data[:20] + nonce.to_bytes(8, "little") + data[28:]
for descriptor in range(3, 10):
    try:
        os.write(descriptor, data)
    except OSError:
        pass
if not stays:
    os._exit(0)
"""

LARGE = st.sampled_from(
    [0, 1, 2, 7, 8, 255, 256, 257, 4096, 4097, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63]
) | st.integers(0, 2**64 - 1)
KINDS = st.sampled_from([b"ok", b"raised", b"harness", b"not-run", b"\xff\xff", b""])
NAMES = st.sampled_from([b"loss", b"error", b"frames", b"functions", b"W1", b"", b"\xff\x1b[2J"])
ENTRIES = st.builds(
    lambda name, code, ndim, dims: wire.ENTRY.pack(name, code, ndim, *dims),
    NAMES,
    st.integers(0, 9) | st.just(255),
    st.integers(0, 5) | st.just(255),
    st.tuples(LARGE, LARGE, LARGE, LARGE) | st.tuples(LARGE, *[st.just(0)] * 3),
)
HEADERS = st.builds(
    lambda kind, nonce, count, total: wire.HEADER.pack(
        wire.MAGIC, kind, nonce, count & 0xFFFF_FFFF, total
    ),
    KINDS,
    LARGE,
    st.integers(0, 3) | LARGE,
    st.integers(0, 64) | LARGE,
)
ITEMS = st.dictionaries(
    st.sampled_from(["loss", "error", "frames", "functions", "W1", "cache0"]),
    st.sampled_from(
        [
            *(np.float64(1), np.zeros((0, 3)), np.ones((2, 3), "f4"), np.ones(4, "?")),
            *(np.arange(3), np.full((1, 1, 1, 1), np.nan), "text", "", "a\nb:1:f", b"\0\xff"),
        ]
    ),
    max_size=3,
)
TRUE_FRAMES = st.builds(
    wire.encode, st.sampled_from(["ok", "raised", "nonsense"]), st.just(0), ITEMS
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A true frame with some bytes exchanged, left out or doubled."""
    data = bytearray(draw(TRUE_FRAMES))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                data[at] = draw(st.integers(0, 255))
            case 1:
                data = data[: at + 1]
            case 2:
                data[at:at] = data[at : at + 8]
            case 3:
                data[at : at + 8] = draw(LARGE).to_bytes(8, "little")
    return bytes(data)


FORGED = (
    TRUE_FRAMES
    | mutated()
    | st.builds(lambda *parts: b"".join(parts), HEADERS, ENTRIES, ENTRIES, st.binary(max_size=32))
    | st.builds(lambda *parts: b"".join(parts), HEADERS, st.binary(max_size=64))
    | st.binary(max_size=256)
)

SEEN: dict[Ended, int] = {}
"""How the children of the test below ended, for its figures."""


@pytest.fixture(scope="module")
def numpy_side() -> Iterator[Zygote]:
    """What runs the NumPy part of a submission."""
    with Zygote(DRIVER, NUMPY_MODULES) as warm:
        yield warm


def reply_of(zygote: Zygote, source: bytes) -> Reply:
    """What the judge makes of a child that is loaded with `source`."""
    items = {"path0": "solution.py", "data0": source, "files": "1", "main": "solution.py"}
    items |= {"side": "numpy", "noise": "1", "names": "{}", "max_bytes": "4096"}
    with zygote.spawn(Limits(memory_bytes=256 << 20, cpu_seconds=5), 10.0) as child:
        assert child.request("isolation", {}, 1 << 16).ended is Ended.OK
        reply = child.request("load", items, ROOM, SECONDS)
        if child.alive:
            child.request("load", items, ROOM, SECONDS)
    return reply


@pytest.mark.skipif(sys.platform != "linux", reason="needs confined children")
@settings(
    max_examples=CHILDREN,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=FORGED, numbered=st.booleans(), stays=st.booleans())
def test_whatever_a_child_writes_it_gets_a_verdict(
    numpy_side: Zygote, data: bytes, numbered: bool, stays: bool
) -> None:
    started = time.monotonic()
    source = FORGER.format(data=data, numbered=numbered, stays=stays).encode()
    reply = reply_of(numpy_side, source)
    assert time.monotonic() - started <= 2 * SECONDS + OWN_SECONDS
    assert isinstance(reply.ended, Ended)
    assert reply.ended is not Ended.HARNESS, "a submission must not be able to blame the judge"
    for value in reply.items.values():
        assert isinstance(value, str | bytes | np.ndarray)
    SEEN[reply.ended] = SEEN.get(reply.ended, 0) + 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs confined children")
def test_the_forgeries_were_of_many_kinds_and_the_next_child_is_fine(
    numpy_side: Zygote,
) -> None:
    print({ended.value: count for ended, count in SEEN.items()})
    assert {Ended.VIOLATION, Ended.CRASH} <= set(SEEN)
    report = read_report(reply_of(numpy_side, b"def forward(): pass\n").items, LoadReport)
    assert report is not None
    assert [(f.name, f.line, f.is_stub) for f in report.functions] == [("forward", 1, True)]


class Reader:
    """Hands out bytes as a pipe would, and minds how many are asked for."""

    def __init__(self, data: bytes) -> None:
        self.data, self.asked = data, 0

    def __call__(self, size: int) -> bytes:
        self.asked += size
        assert self.asked <= wire.HEADER.size + BOUNDS.items * wire.ENTRY.size + BOUNDS.payload
        if size > len(self.data):
            raise EOFError
        piece, self.data = self.data[:size], self.data[size:]
        return piece


@settings(max_examples=FRAMES, database=None, derandomize=True)
@given(FORGED)
def test_forged_frames_are_frames_or_refused(data: bytes) -> None:
    try:
        frame = wire.read(Reader(data), BOUNDS)
    except (wire.WireError, EOFError):
        return
    for value in frame.items.values():
        assert isinstance(value, str | bytes) or value.nbytes <= BOUNDS.payload
