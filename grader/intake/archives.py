"""Reads the members of a zip or a tar into memory: regular files only, under limits.

Nothing is unpacked to disk. Sizes are counted while reading, whatever a header
claims; members that are links, devices, encrypted or climb are never read.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from grader.errors import SubmissionError
from grader.intake.files import (
    COMPILED,
    ENVIRONMENT,
    MAX_WALKED,
    NOT_YOURS,
    Collector,
    Read,
    is_archive,
    is_relevant,
    junk_folder,
    limit_of,
    too_large,
)

COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What archivers write. The readers of bzip2 and LZMA unpack a bomb before they can be stopped."""

MAX_UNPACKED = 256 << 20
"""Bytes of a tar that are gone through; unlike a zip's, its members cannot be skipped unread."""

MAX_HEADER = 64 << 10
"""Bytes of a header that `tarfile` would read as a whole: long names and attributes."""

SHOWN = 200
UTF8_NAME = 0x800
ENCRYPTED = 1
FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
LONG_HEADERS = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.GNUTYPE_SPARSE),
)


def read_archive(name: str, data: bytes) -> Read:
    """Return the members of a `.zip`, `.tar`, `.tar.gz` or `.tgz` that can matter.

    Raises `SubmissionError` when it is none, or past the limits.
    """
    if data[:2] == b"PK" or name.lower().endswith(".zip"):
        return read_zip(data)
    return read_tar(data)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive. `read(limit)` returns its bytes, None when it is longer.

    `why_not` says why it is not read, "" when it is.
    """

    name: str
    read: Callable[[int], bytes | None]
    why_not: str


def read_zip(data: bytes) -> Read:
    """Return the members of a zip that can matter. Raises `SubmissionError` when it is no zip."""
    into = Collector()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(archive.infolist()) > MAX_WALKED:
                raise SubmissionError(f"the archive has more than {MAX_WALKED} members")
            environments = environments_of(map(member_name, archive.infolist()))
            for member in zip_members(archive):
                collect_member(member.name, member, environments, into)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError) as error:
        raise SubmissionError(f"the archive is broken or of another kind: {error}") from error
    except Exception as error:  # zlib.error, and whatever a hostile header leads to
        if isinstance(error, SubmissionError):
            raise
        raise SubmissionError(f"the archive is damaged: {error}") from error
    return into.finish()


def zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    """Yield the members of a zip that are no folders."""
    for row in archive.infolist():
        if not row.is_dir():
            yield Member(member_name(row), _zip_reader(archive, row), why_no_zip_member(row))


def _zip_reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[int], bytes | None]:
    def read(limit: int) -> bytes | None:
        if member.file_size > limit:  # what claims less is cut off there
            return None
        with archive.open(member) as stream:
            return stream.read(limit)

    return read


def why_no_zip_member(member: zipfile.ZipInfo) -> str:
    """Return why a member of a zip is not read, "" when it is."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "a link" if kind == stat.S_IFLNK else "no regular file"
    if member.flag_bits & ENCRYPTED:
        return "encrypted"
    return "" if member.compress_type in COMPRESSIONS else "compressed in an unusual way"


def member_name(member: zipfile.ZipInfo) -> str:
    """Return a member's name: as UTF-8 where it can be read so, whatever the archiver says."""
    if not member.flag_bits & UTF8_NAME:
        try:
            return member.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return member.filename


# ── tar ──────────────────────────────────────────────────────────────────────


class LimitedStream(io.RawIOBase):
    """A stream of which at most `MAX_UNPACKED` bytes can be read."""

    def __init__(self, stream: IO[bytes], most: int = MAX_UNPACKED) -> None:
        self._stream, self._left, self._most = stream, most, most

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Raises `SubmissionError` past the limit."""
        data = self._stream.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._left -= len(data)
        if self._left < 0:
            raise SubmissionError(f"the archive unpacks to more than {self._most >> 20} MiB")
        return data


class Header(tarfile.TarInfo):
    """A member's header, refused where `tarfile` would read a long one as a whole."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in LONG_HEADERS and self.size > MAX_HEADER:
            raise SubmissionError("the archive has a header that no archiver writes")
        proceed: Callable[[tarfile.TarFile], tarfile.TarInfo] = super()._proc_member  # type: ignore[misc]
        return proceed(archive)


def without_gzip(stream: IO[bytes]) -> IO[bytes]:
    """Return `stream` of a tar without its gzip, if it has one. Of both the start is at hand."""
    start = stream.read(2)
    stream.seek(0)
    if start != b"\x1f\x8b":
        return stream
    zipped: IO[bytes] = gzip.GzipFile(fileobj=stream)  # type: ignore[assignment]
    return zipped


def read_tar(data: bytes) -> Read:
    """Return the members of a tar that can matter, gzipped or not. Raises `SubmissionError`."""
    into = Collector()
    try:
        stream = LimitedStream(without_gzip(io.BytesIO(data)))
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=Header) as archive:
            for number, member in enumerate(archive):
                if number >= MAX_WALKED:
                    raise SubmissionError(f"the archive has more than {MAX_WALKED} members")
                if not member.isdir():
                    read = _tar_reader(archive, member)
                    readable = Member(member.name, read, why_no_tar_member(member))
                    collect_member(readable.name, readable, frozenset(), into)
    except SubmissionError:
        raise
    except Exception as error:  # tarfile.TarError, zlib.error, OSError, and a hostile header's
        raise SubmissionError(f"the archive is broken or of another kind: {error}") from error
    return into.finish()


def _tar_reader(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[int], bytes | None]:
    def read(limit: int) -> bytes | None:
        stream = archive.extractfile(member)
        data = stream.read(limit + 1) if stream and member.size <= limit else None
        return data if data is not None and len(data) <= limit else None

    return read


def why_no_tar_member(member: tarfile.TarInfo) -> str:
    """Return why a member of a tar is not read, "" when it is."""
    if member.type in FILES and not member.issparse():
        return ""
    return "a link" if member.issym() or member.islnk() else "no regular file"


# ── both ─────────────────────────────────────────────────────────────────────


def collect_member(
    path: str, member: Member, environments: frozenset[str], into: Collector
) -> None:
    """Hand one member to `into` under the name `given`."""
    name = clean_member(path)
    if name is None:
        into.skip(path[:SHOWN], "its path leads out of the archive")
        return
    if junk := junk_folder(name) or next((e for e in environments if name.startswith(e)), ""):
        into.skip(f"{COMPILED}/" if junk.endswith(f"{COMPILED}/") else junk, NOT_YOURS)
        return
    archive = is_archive(name)
    if not (archive and into.wants_archive) and not is_relevant(name):
        into.skip(path[:SHOWN], member.why_not)
        return
    data = None if member.why_not else member.read(limit_of(name))
    if archive:
        into.keep_archive(path[:SHOWN], data)
    elif data is None:
        why = member.why_not or too_large(limit_of(name)).words
        into.skip(path[:SHOWN], why, too_large=not member.why_not)
    else:
        into.add(name, data)


def environments_of(names: Iterable[str]) -> frozenset[str]:
    """Return the folders among `names` that are virtual environments, with their slash."""
    return frozenset(
        name.removesuffix(ENVIRONMENT) for name in names if name.endswith(f"/{ENVIRONMENT}")
    )


def clean_member(name: str) -> str | None:
    """Return a member's path, made relative and POSIX; None for one that climbs or is absolute."""
    path = PurePosixPath(name.replace("\\", "/"))
    bad = path.is_absolute() or ".." in path.parts or not path.parts
    bad = bad or path.as_posix()[1:2] == ":" or "\0" in name or len(name) > 300
    return None if bad else path.as_posix()
