"""Coverage-guided fuzzing of the wire's reader: `python tests/fuzz/fuzz_wire.py [SECONDS] [INPUTS]`.

Whatever the bytes: a frame within the bounds or a `WireError`, and never a byte more
asked for than the bounds allow. Needs `pip install -e '.[fuzz]'`. Prints what was tried.
"""

from __future__ import annotations

import sys

import atheris
import numpy as np
from campaign import Campaign

with atheris.instrument_imports(include=["grader.sandbox.wire"]):
    from grader.sandbox import wire

BOUNDS = wire.Bounds(items=16, payload=4096)
SEEDS = (
    wire.encode("ok", 7, {}),
    wire.encode("ok", 2**64 - 1, {"loss": np.float64(0.5), "text": "déjà", "data": b"\0\1"}),
    wire.encode("raised", 0, {"error": "ValueError: x", "frames": "a.py:1:f\n"}),
    wire.encode(
        "ok", 1, {"W1": np.ones((2, 3)), "y": np.zeros((0, 4), "i8"), "m": np.ones(3, "?")}
    ),
    wire.encode("ok", 1, {"e": np.zeros((0, 2, 0, 3), "f4"), "u": np.ones((1, 1, 1, 1), "u1")}),
)


class Reader:
    """Hands out `data` piece by piece, as a pipe would, and minds how much is asked for."""

    def __init__(self, data: bytes) -> None:
        self.data, self.asked = data, 0

    def __call__(self, size: int) -> bytes:
        self.asked += size
        most = wire.HEADER.size + BOUNDS.items * wire.ENTRY.size + BOUNDS.payload
        assert size >= 0 and self.asked <= most, f"asked for {self.asked} bytes"
        if size > len(self.data):
            raise EOFError
        piece, self.data = self.data[:size], self.data[size:]
        return piece


def one_input(data: bytes) -> None:
    """Raises when the reader does anything but what it promises."""
    try:
        frame = wire.read(Reader(data), BOUNDS)
    except (wire.WireError, EOFError):
        return
    assert len(frame.items) <= BOUNDS.items
    for value in frame.items.values():
        assert isinstance(value, str | bytes | np.ndarray)
        if isinstance(value, np.ndarray):
            assert value.dtype in wire.CODES
            assert value.nbytes <= BOUNDS.payload
    again = wire.read(Reader(wire.encode(frame.kind, frame.nonce, frame.items)), BOUNDS)
    assert (again.kind, again.nonce, list(again.items)) == (
        frame.kind,
        frame.nonce,
        list(frame.items),
    )


if __name__ == "__main__":
    Campaign("wire", one_input, SEEDS, max_len=8192).run(sys.argv)
