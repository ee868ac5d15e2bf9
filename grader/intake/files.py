"""Reads the files of a folder or an archive into memory: regular files only, under limits.

Links, devices and pipes are never opened; nothing is written to disk. The
limits are checked against what was read, not against what an archive claims.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.errors import SubmissionError
from grader.records import SourceFile

MAX_FILE = 2 << 20
MAX_ARCHIVE = 64 << 20
MAX_TOTAL = 8 << 20
MAX_FILES = 400
MAX_WALKED = 5000

COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What archivers write. The readers of bzip2 and LZMA unpack a bomb before they can be stopped."""

TEXT_SUFFIXES = (".py", ".ipynb", ".md", ".txt", ".yaml", ".yml")
JUNK_FOLDERS = frozenset(
    {"__MACOSX", "__pycache__", ".git", ".ipynb_checkpoints", ".venv", "venv", "env"}
    | {"node_modules", "site-packages", ".idea", ".vscode", ".mypy_cache", ".pytest_cache"}
)


@dataclass(frozen=True, slots=True)
class Read:
    """What was read, and what was passed over, by path."""

    files: tuple[SourceFile, ...]
    passed_over: tuple[str, ...]


def wanted(path: str) -> bool:
    """Whether a file can matter to grading, by its path alone."""
    parts = PurePosixPath(path).parts
    hidden = any(p.startswith(".") or p in JUNK_FOLDERS for p in parts)
    return not hidden and path.lower().endswith(TEXT_SUFFIXES)


def read_folder(folder: Path) -> Read:
    """The regular files below `folder` that can matter."""
    files, passed = [], []
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if not wanted(name):
            passed.append(name)
            continue
        data = read_regular(path)
        if data is None:
            passed.append(name)
        else:
            files.append(SourceFile(name, data))
            _check_limits(files)
    return _read(files, passed)


def _walk(folder: Path) -> Iterator[Path]:
    """Entries below `folder` in sorted order, not following links, junk folders left out."""
    count = 0
    for root, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(f for f in folders if f not in JUNK_FOLDERS)
        for name in sorted(names):
            count += 1
            if count > MAX_WALKED:
                raise SubmissionError(f"more than {MAX_WALKED} files: hand in the source only")
            yield Path(root) / name


def read_regular(path: Path, limit: int = MAX_FILE) -> bytes | None:
    """The bytes of a regular file of at most `limit`; None for anything else.

    Opened without following a link, without blocking on a pipe, and examined
    after opening, so that it cannot be swapped in between.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as stream:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        data = stream.read(limit + 1)
    return data if len(data) <= limit else None


def read_zip(data: bytes) -> Read:
    """The members of a zip that can matter. Raises `SubmissionError` when it is no zip."""
    files, passed = [], []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_WALKED:
                raise SubmissionError(f"the archive has more than {MAX_WALKED} members")
            for member in members:
                name = clean_member(member.filename)
                special = stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG)
                if member.is_dir():
                    continue
                special = special or member.compress_type not in COMPRESSIONS
                too_large = member.file_size > MAX_FILE  # and what claims less is cut off there
                if name is None or special or too_large or not wanted(name) or member.flag_bits & 1:
                    passed.append(member.filename[:200])
                    continue
                with archive.open(member) as stream:
                    content = stream.read(MAX_FILE)
                files.append(SourceFile(name, content))
                _check_limits(files)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError) as error:
        raise SubmissionError(f"the archive cannot be read: {error}") from error
    except Exception as error:  # zlib.error, and whatever a hostile header leads to
        if isinstance(error, SubmissionError):
            raise
        raise SubmissionError(f"the archive is damaged: {error}") from error
    return _read(files, passed)


def clean_member(name: str) -> str | None:
    """A member's path, made relative and POSIX; None for one that climbs or is absolute."""
    path = PurePosixPath(name.replace("\\", "/"))
    bad = path.is_absolute() or ".." in path.parts or not path.parts
    bad = bad or path.as_posix()[1:2] == ":" or "\0" in name or len(name) > 300
    return None if bad else path.as_posix()


def _check_limits(files: list[SourceFile]) -> None:
    if len(files) > MAX_FILES or sum(len(f.data) for f in files) > MAX_TOTAL:
        raise SubmissionError(
            f"more than {MAX_FILES} files or {MAX_TOTAL >> 20} MiB of source: "
            "hand in your own source only"
        )


def _read(files: list[SourceFile], passed: list[str]) -> Read:
    unique = {f.path: f for f in files}
    return Read(tuple(unique.values()), tuple(passed[:MAX_FILES]))
