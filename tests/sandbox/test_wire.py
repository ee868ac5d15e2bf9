"""The wire format gives back what was sent; anything else is a `WireError`, and costs nothing."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.sandbox import wire
from grader.sandbox.wire import DTYPES, ENTRY, HEADER, MAGIC, Bounds, Message, WireError

ROOMY = Bounds(items=16, payload=1 << 20)
ASCII = st.characters(min_codepoint=32, max_codepoint=126)
KINDS = st.text(ASCII, max_size=16)
NAMES = st.text(ASCII, min_size=1, max_size=40)
ARRAYS = st.sampled_from([*DTYPES.values(), np.dtype(">f8"), np.dtype(">i4")]).flatmap(
    lambda dtype: hnp.arrays(
        dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    )
)
ITEMS = st.dictionaries(NAMES, ARRAYS | st.text(max_size=30) | st.binary(max_size=30), max_size=6)
NONCES = st.integers(0, 2**64 - 1)
SAMPLE = wire.encode(
    "ok", 7, {"loss": np.float64(2.5), "W1": np.ones((3, 4)), "text": "é", "b": b"x"}
)


def from_bytes(data: bytes, asked: list[int] | None = None) -> Callable[[int], bytes]:
    """A `receive` over `data` that ends like a closed pipe and notes what it is asked for."""
    position = 0

    def receive(size: int) -> bytes:
        nonlocal position
        if asked is not None:
            asked.append(size)
        if len(data) - position < size:
            raise EOFError
        position += size
        return data[position - size : position]

    return receive


def read(data: bytes, bounds: Bounds = ROOMY) -> Message:
    return wire.read(from_bytes(data), bounds)


def entry(name: bytes = b"x", code: int = 2, ndim: int = 1, dims: tuple[int, ...] = (1,)) -> bytes:
    return ENTRY.pack(name, code, ndim, *(dims + (0,) * (4 - len(dims))))


def frame(*entries: bytes, payload: bytes = b"", total: int | None = None) -> bytes:
    size = len(payload) if total is None else total
    return HEADER.pack(MAGIC, b"ok", 1, len(entries), size) + b"".join(entries) + payload


def well_formed(got: Message, bounds: Bounds) -> bool:
    """Whether a frame keeps every promise that its reader makes."""
    size = 0
    for name, value in got.items.items():
        assert name.isascii()
        assert name.isprintable()
        if isinstance(value, np.ndarray):
            assert value.dtype in DTYPES.values()
            assert value.ndim <= 4
            assert not value.flags.writeable
            size += value.nbytes
        elif isinstance(value, bytes):
            size += len(value)
        else:
            assert isinstance(value, str)
    assert len(got.items) <= bounds.items
    assert size <= bounds.payload
    return True


# ── there and back ───────────────────────────────────────────────────────────


@given(KINDS, NONCES, ITEMS)
def test_what_is_sent_arrives(kind: str, nonce: int, items: dict[str, Any]) -> None:
    got = read(wire.encode(kind, nonce, items))
    assert (got.kind, got.nonce, list(got.items)) == (kind, nonce, list(items))
    for name, sent in items.items():
        if isinstance(sent, np.ndarray):
            assert got.items[name].dtype == sent.dtype.newbyteorder("<")
            np.testing.assert_array_equal(got.items[name], sent)
        else:
            assert got.items[name] == sent
    assert well_formed(got, ROOMY)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.0, 5e-324])
def test_every_float_arrives_bit_by_bit(value: float) -> None:
    for dtype in (np.float64, np.float32):
        sent = np.array([value], dtype)
        assert read(wire.encode("ok", 0, {"x": sent})).items["x"].tobytes() == sent.tobytes()


def test_an_array_arrives_in_c_order_however_it_lies() -> None:
    base = np.arange(24.0).reshape(2, 3, 4)
    for sent in (
        base.T,
        base[:, ::2],
        np.asfortranarray(base),
        np.broadcast_to(base[0], (2, 3, 4)),
    ):
        np.testing.assert_array_equal(read(wire.encode("ok", 0, {"x": sent})).items["x"], sent)


def test_a_lone_surrogate_in_a_text_is_replaced() -> None:
    assert read(wire.encode("ok", 0, {"x": "a\ud800b"})).items["x"] == "a?b"


def test_two_frames_are_read_one_after_the_other() -> None:
    receive = from_bytes(wire.encode("a", 1, {"x": b"1"}) + wire.encode("b", 2, {}))
    assert wire.read(receive, ROOMY).kind == "a"
    assert wire.read(receive, ROOMY).kind == "b"


# ── what is not sent ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "value",
    [
        np.array([object()]), np.array(["a"]), np.array([1j]), np.ones(1, np.float16), None,
        np.array([b"a"]), np.zeros(1, [("a", "f8")]), np.ones((1,) * 5), np.datetime64("now"),
    ],
)  # fmt: skip
def test_a_value_outside_the_allow_list_is_not_sent(value: object) -> None:
    with pytest.raises(WireError, match="cannot be sent"):
        wire.encode("ok", 0, {"x": value})


@pytest.mark.parametrize("name", ["", "x" * 41, "é", "a\nb", "a\0", "\ud800"])
def test_a_name_that_could_not_be_read_is_not_sent(name: str) -> None:
    with pytest.raises(WireError, match="name"):
        wire.encode("ok", 0, {name: 1.0})


@pytest.mark.parametrize("kind", ["x" * 17, "é", "a\nb"])
def test_a_kind_that_could_not_be_read_is_not_sent(kind: str) -> None:
    with pytest.raises(WireError, match="kind"):
        wire.encode(kind, 0, {})


# ── what is not believed ─────────────────────────────────────────────────────

BAD = {
    "magic": b"XXXX" + frame()[4:],
    "kind is not ASCII": HEADER.pack(MAGIC, b"\xff", 1, 0, 0),
    "kind has a control": HEADER.pack(MAGIC, b"a\nb", 1, 0, 0),
    "kind has a NUL inside": HEADER.pack(MAGIC, b"a\0b", 1, 0, 0),
    "more items than asked": HEADER.pack(MAGIC, b"ok", 1, 17, 0),
    "more bytes than asked": HEADER.pack(MAGIC, b"ok", 1, 1, (1 << 20) + 1),
    "2^32-1 items": HEADER.pack(MAGIC, b"ok", 1, 2**32 - 1, 0),
    "2^64-1 bytes": HEADER.pack(MAGIC, b"ok", 1, 0, 2**64 - 1),
    "payload without items": frame(payload=b"12345678"),
    "sum too small": frame(entry(), payload=b"1" * 16),
    "sum too large": frame(entry(dims=(2,)), payload=b"1" * 8),
    "sizes that overflow to the right sum": frame(
        entry(ndim=4, dims=(2**61, 1, 1, 1)), payload=b""
    ),
    "a product that overflows": frame(entry(ndim=4, dims=(2**32, 2**32, 1, 1))),
    "empty, and too large a shape": frame(entry(ndim=2, dims=(0, 2**62))),
    "empty, and overflowing shapes": frame(entry(ndim=4, dims=(2**62, 0, 2**62, 2**62))),
    "empty, and no dimension of NumPy's": frame(entry(ndim=2, dims=(0, 2**63))),
    "empty bools, too large a shape": frame(entry(code=7, ndim=3, dims=(0, 2**62, 2**62))),
    "unknown dtype": frame(entry(code=8), payload=b"1" * 8),
    "object dtype": frame(entry(code=255), payload=b"1" * 8),
    "five axes": frame(entry(ndim=5), payload=b"1" * 8),
    "text with two axes": frame(entry(code=0, ndim=2, dims=(1, 1)), payload=b"1"),
    "text without an axis": frame(entry(code=0, ndim=0, dims=()), payload=b"1"),
    "a dimension beyond the last axis": frame(entry(ndim=1, dims=(1, 7)), payload=b"1" * 8),
    "the same name twice": frame(entry(), entry(), payload=b"1" * 16),
    "name without a letter": frame(entry(name=b""), payload=b"1" * 8),
    "name is not ASCII": frame(entry(name=b"\xe9"), payload=b"1" * 8),
    "name has a control": frame(entry(name=b"\x1b[31m"), payload=b"1" * 8),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_forged_frame_is_a_wire_error(data: bytes) -> None:
    with pytest.raises(WireError):
        read(data)


@pytest.mark.parametrize("byte", [0, 1, 2, 128, 255])
def test_a_forged_bool_is_one_of_two(byte: int) -> None:
    got = read(frame(entry(code=7), payload=bytes([byte]))).items["x"]
    assert got.tobytes() == (b"\1" if byte else b"\0")


def attempt(data: bytes, bounds: Bounds = ROOMY) -> list[int]:
    """Read `data`, which may be anything; gives what the reader asked for."""
    asked: list[int] = []
    try:
        got = wire.read(from_bytes(data, asked), bounds)
    except (WireError, EOFError):
        return asked
    assert well_formed(got, bounds)
    return asked


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda b: MAGIC + b)))
def test_any_bytes_are_a_frame_or_a_wire_error(data: bytes) -> None:
    attempt(data)


@settings(max_examples=500)
@given(st.data())
def test_a_changed_frame_is_a_frame_or_a_wire_error(data: st.DataObject) -> None:
    changed = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 8))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    attempt(
        bytes(
            changed[: data.draw(st.integers(0, len(changed)))]
            if data.draw(st.booleans())
            else changed
        )
    )


DIMS = st.sampled_from([0, 1, 2, 3, 2**31, 2**32, 2**61, 2**62, 2**63 - 1, 2**63, 2**64 - 1])
ENTRIES = st.builds(
    entry, st.binary(max_size=3), st.integers(0, 9), st.integers(0, 6),
    st.lists(DIMS, min_size=0, max_size=4).map(tuple),
)  # fmt: skip


@settings(max_examples=500)
@given(st.lists(ENTRIES, max_size=3), st.binary(max_size=24), st.none() | DIMS)
def test_a_frame_of_forged_sizes_is_a_frame_or_a_wire_error(
    entries: list[bytes], payload: bytes, total: int | None
) -> None:
    attempt(frame(*entries, payload=payload, total=total))


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 4), st.integers(0, 64))
def test_no_more_is_asked_for_than_the_bounds_allow(
    items: int, total: int, most_items: int, most_bytes: int
) -> None:
    data = HEADER.pack(MAGIC, b"ok", 1, items, total) + b"\0" * 512
    asked = attempt(data, Bounds(most_items, most_bytes))
    assert asked[0] == HEADER.size
    assert all(size <= max(most_items * ENTRY.size, most_bytes) for size in asked[1:])


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_nothing_is_allocated_for_a_forged_frame(data: bytes) -> None:
    tracemalloc.start()
    try:
        attempt(data)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024
    finally:
        tracemalloc.stop()
