"""Zips that no archiver would write."""

from __future__ import annotations

import io
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Iterable

SYMLINK = stat.S_IFLNK | 0o777
FIFO = stat.S_IFIFO | 0o644


def packed(
    members: Iterable[tuple[str, bytes]], *, mode: int = 0, compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """A zip of (name, content), names as they are, twice if they are there twice."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in members:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            info.compress_type = compression
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return stream.getvalue()


def flagged(data: bytes, bits: int) -> bytes:
    """`data` with flag bits set in every local and central header."""
    changed = bytearray(data)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = changed.find(magic)
        while at >= 0:
            changed[at + offset] |= bits
            at = changed.find(magic, at + 4)
    return bytes(changed)


def claiming(data: bytes, size: int) -> bytes:
    """`data` whose central headers give `size` as the size unpacked."""
    changed = bytearray(data)
    at = changed.find(b"PK\x01\x02")
    while at >= 0:
        changed[at + 24 : at + 28] = size.to_bytes(4, "little")
        at = changed.find(b"PK\x01\x02", at + 4)
    return bytes(changed)


def tarred(members: Iterable[tuple[str, bytes]], *, zipped: bool = True, **fields: object) -> bytes:
    """A tar of (name, content); `fields` of every header are set as they are."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz" if zipped else "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for field, value in fields.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()
