"""The one format in which judge and child speak: a fixed header, a table, raw bytes.

    header   magic "BPG1" · kind (16 bytes) · nonce u64 · items u32 · payload bytes u64
    table    per item: name (40 bytes) · dtype code u8 · ndim u8 · dims 4 × u64
    payload  the items' bytes, C order, little endian, one after another

No pickle, no object dtype, no length that is believed: sizes follow from dtype
and dims, their sum must equal the header's, and everything is compared with
the reader's `Bounds` before a byte is allocated. Used on both sides; imports
nothing of the judge's.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

MAGIC = b"BPG1"
HEADER = struct.Struct("<4s16sQIQ")
ENTRY = struct.Struct("<40sBB4Q")
MAX_NDIM = 4

TEXT, BYTES = 0, 1
DTYPES: dict[int, np.dtype[Any]] = {
    2: np.dtype("<f8"),
    3: np.dtype("<f4"),
    4: np.dtype("<i8"),
    5: np.dtype("<i4"),
    6: np.dtype("u1"),
    7: np.dtype("?"),
}
CODES = {dtype: code for code, dtype in DTYPES.items()}
BOOL = CODES[np.dtype("?")]
ITEM_BYTES = {TEXT: 1, BYTES: 1} | {code: dtype.itemsize for code, dtype in DTYPES.items()}


class WireError(Exception):
    """The bytes are not a frame, or a frame beyond the reader's bounds."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most a reader accepts, known before the other side has said anything."""

    items: int
    payload: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `items` maps names to arrays, text or bytes."""

    kind: str
    nonce: int
    items: Mapping[str, Any]


class _Entry(NamedTuple):
    name: str
    code: int
    dims: tuple[int, ...]
    nbytes: int


def encode(kind: str, nonce: int, items: Mapping[str, Any]) -> bytes:
    """Return a frame's bytes. Arrays must have a dtype of `DTYPES` and at most four axes.

    Raises `WireError` for what `read` would refuse.
    """
    if not _is_label(kind, 16):
        raise WireError(f"a kind has at most 16 printable ASCII characters, not {kind!r}")
    table, payload = [], []
    for name, value in items.items():
        entry, data = _pack(name, value)
        table.append(entry)
        payload.append(data)
    body = b"".join(payload)
    header = HEADER.pack(MAGIC, kind.encode("ascii"), nonce, len(table), len(body))
    return b"".join((header, *table, body))


def _pack(name: str, value: Any) -> tuple[bytes, bytes]:
    if not name or not _is_label(name, 40):
        raise WireError(f"an item's name has 1 to 40 printable ASCII characters, not {name!r}")
    label = name.encode("ascii")
    if isinstance(value, str | bytes):
        code = TEXT if isinstance(value, str) else BYTES
        data = value.encode("utf-8", "replace") if isinstance(value, str) else value
        dims: tuple[int, ...] = (len(data),)
    else:
        array = np.asarray(value)
        known = CODES.get(array.dtype) or CODES.get(array.dtype.newbyteorder("<"))
        if known is None or array.ndim > MAX_NDIM:
            raise WireError(f"{name}: dtype {array.dtype}, {array.ndim} axes cannot be sent")
        code, dims = known, array.shape
        data = array.astype(DTYPES[code], copy=False).tobytes()
    padded = dims + (0,) * (MAX_NDIM - len(dims))
    return ENTRY.pack(label, code, len(dims), *padded), data


def _is_label(text: str, longest: int) -> bool:
    return len(text) <= longest and text.isascii() and text.isprintable()


def read(receive: Callable[[int], bytes], bounds: Bounds) -> Message:
    """Return one frame from `receive(n)`, which gives exactly n bytes or raises.

    Raises `WireError` before anything is allocated that `bounds` does not allow.
    """
    kind, nonce, count, total = _header(receive(HEADER.size), bounds)
    entries = _table(receive(count * ENTRY.size), total)
    return Message(kind, nonce, _items(entries, receive(total)))


def _header(data: bytes, bounds: Bounds) -> tuple[str, int, int, int]:
    magic, kind, nonce, count, total = HEADER.unpack(data)
    if magic != MAGIC:
        raise WireError("not a frame")
    if count > bounds.items or total > bounds.payload:
        raise WireError(f"{count} items, {total} bytes: more than asked for")
    return _ascii(kind), nonce, count, total


def _ascii(data: bytes) -> str:
    text = data.rstrip(b"\0").decode("latin-1")
    if not text.isascii() or not text.isprintable():
        raise WireError("a name is not printable ASCII")
    return text


def _table(data: bytes, total: int) -> list[_Entry]:
    entries = [_entry(*fields) for fields in ENTRY.iter_unpack(data)]
    if sum(e.nbytes for e in entries) != total:
        raise WireError("the items' sizes do not add up to the payload")
    if len({e.name for e in entries}) != len(entries):
        raise WireError("an item's name occurs twice")
    return entries


def _entry(name: bytes, code: int, ndim: int, *dims: int) -> _Entry:
    if code not in ITEM_BYTES or ndim > MAX_NDIM or (code in (TEXT, BYTES) and ndim != 1):
        raise WireError(f"dtype code {code} with {ndim} axes is not allowed")
    label, shape = _ascii(name), dims[:ndim]
    if not label:
        raise WireError("an item has no name")
    if any(dims[ndim:]):
        raise WireError("a dimension beyond the last axis")
    nbytes = ITEM_BYTES[code] * math.prod(shape)  # Python's integers do not overflow, NumPy's would
    return _Entry(label, code, shape, nbytes)


def _items(entries: list[_Entry], payload: bytes) -> dict[str, Any]:
    items: dict[str, Any] = {}
    offset = 0
    for entry in entries:
        data = payload[offset : offset + entry.nbytes]
        offset += entry.nbytes
        items[entry.name] = _unpack(entry, data)
    return items


def _unpack(entry: _Entry, data: bytes) -> Any:
    if entry.code == TEXT:
        return data.decode("utf-8", "replace")
    if entry.code == BYTES:
        return data
    array: np.ndarray[Any, Any] = np.frombuffer(data, DTYPES[entry.code])
    if entry.code == BOOL:  # a byte that is neither 0 nor 1 is no bool
        array = np.frombuffer(data, "u1") != 0
        array.flags.writeable = False
    try:
        return array.reshape(entry.dims)
    except (ValueError, OverflowError) as error:  # no bytes, and a shape beyond all memory
        raise WireError(f"no array has the shape {entry.dims}") from error
