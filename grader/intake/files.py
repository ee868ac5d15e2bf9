"""Reads the files of a folder into memory: regular files only, under limits.

Links, devices and pipes are never opened; nothing is written to disk. The
limits are checked against what was read, not against what is claimed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from grader.errors import CallerError, SubmissionError
from grader.limits import FILES, FOLDERS_DEEP
from grader.records import SourceFile

MAX_FILE = 2 << 20
MAX_NOTEBOOK = 8 << 20
"""A notebook carries its plots with it; what is kept of it is the source."""

MAX_TEXT = 256 << 10
"""Of answers and settings; longer text is data."""

MAX_ARCHIVE = 64 << 20
MAX_INNER = 16 << 20
"""Of an archive inside what was handed in, which is opened when there is no source beside it."""

MAX_TOTAL = 8 << 20
MAX_FILES = FILES
MAX_WALKED = 5000
MAX_FOLDERS = FOLDERS_DEEP

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
CODE = (".py", ".ipynb")
TEXT_SUFFIXES = (*CODE, ".md", ".yaml", ".yml")
JUNK_FOLDERS = frozenset(
    {"__MACOSX", "__pycache__", ".git", ".ipynb_checkpoints", ".venv", "venv", "env"}
    | {"node_modules", "site-packages", ".idea", ".vscode", ".mypy_cache", ".pytest_cache"}
)
COMPILED = "__pycache__"
"""Python's own copies of the source; nobody misses them in a list."""

ENVIRONMENT = "pyvenv.cfg"
"""Stands at the top of every virtual environment, whatever its folder is called."""

NOT_YOURS = "not your own source"


@dataclass(frozen=True, slots=True)
class Read:
    """What was read, and what was passed over, by path, with the reason where it is not obvious.

    `inner` is the first archive inside, whole; `too_large` are paths among `passed_over`.
    """

    files: tuple[SourceFile, ...]
    passed_over: tuple[str, ...]
    reasons: Mapping[str, str] = field(default_factory=dict)
    inner: SourceFile | None = None
    too_large: frozenset[str] = frozenset()

    @property
    def explained(self) -> tuple[str, ...]:
        """Return what was passed over, each with its reason."""
        reasons = self.reasons
        return tuple(f"{p} ({reasons[p]})" if p in reasons else p for p in self.passed_over)

    @property
    def has_code(self) -> bool:
        """Return whether there is anything that could be graded."""
        return any(f.path.lower().endswith(CODE) for f in self.files)


class Collector:
    """Gathers files until a limit is reached; a later file of the same path replaces it."""

    def __init__(self) -> None:
        self._files: dict[str, SourceFile] = {}
        self._passed: dict[str, str] = {}
        self._too_large: set[str] = set()
        self._inner: SourceFile | None = None

    def skip(self, path: str, why: str = "", *, too_large: bool = False) -> None:
        """Note what is passed over."""
        if len(self._passed) < MAX_FILES and path != f"{COMPILED}/":
            self._passed.setdefault(path, why)
            if too_large:
                self._too_large.add(path)

    def add(self, path: str, data: bytes) -> None:
        """Keep a file. Raises `SubmissionError` past the limits."""
        if not path.lower().endswith(CODE) and len(data) > MAX_TEXT:
            self.skip(path, "longer than any answer")
            return
        self._files[path] = SourceFile(path, data)
        files = self._files.values()
        source = sum(len(f.data) for f in files if not f.path.lower().endswith(".ipynb"))
        notebooks = sum(len(f.data) for f in files) - source
        if len(files) > MAX_FILES or source > MAX_TOTAL or notebooks > 2 * MAX_NOTEBOOK:
            raise SubmissionError(
                f"more than {MAX_FILES} files or {MAX_TOTAL >> 20} MiB of source: "
                "hand in your own source only"
            )

    @property
    def wants_archive(self) -> bool:
        """Return whether an archive inside may still be kept."""
        return self._inner is None

    def keep_archive(self, path: str, data: bytes | None) -> None:
        """Keep an archive inside, for the case that there is no source beside it."""
        self.skip(path, "an archive inside what was handed in")
        if data is not None and self._inner is None:
            self._inner = SourceFile(path, data)

    def finish(self) -> Read:
        """Return all of it."""
        reasons = {path: why for path, why in self._passed.items() if why}
        files, passed = tuple(self._files.values()), tuple(self._passed)
        return Read(files, passed, reasons, self._inner, frozenset(self._too_large))


def is_relevant(path: str) -> bool:
    """Return whether a file can matter to grading, by its path alone."""
    parts = PurePosixPath(path).parts
    hidden = any(p.startswith(".") or p in JUNK_FOLDERS for p in parts)
    return not hidden and path.lower().endswith(TEXT_SUFFIXES)


def is_archive(path: str) -> bool:
    """Return whether a file is an archive by its name, and no hidden one."""
    return path.lower().endswith(ARCHIVES) and not PurePosixPath(path).name.startswith(".")


def limit_of(path: str) -> int:
    """Return bytes that are read of a file at most."""
    if is_archive(path):
        return MAX_INNER
    return MAX_NOTEBOOK if path.lower().endswith(".ipynb") else MAX_FILE


@dataclass(frozen=True, slots=True)
class Omission:
    """Why a file is not read."""

    words: str
    too_large: bool = False


def too_large(limit: int) -> Omission:
    """Return the reason for passing over what is longer than `limit` bytes."""
    return Omission(f"larger than {limit >> 20} MiB", too_large=True)


def junk_folder(path: str) -> str:
    """Return the part of `path` up to a folder that is no source, with its slash; "" for none."""
    parts = PurePosixPath(path).parts
    for index, part in enumerate(parts[:-1]):
        if part in JUNK_FOLDERS:
            return "/".join(parts[: index + 1]) + "/"
    return ""


def read_folder(folder: Path, leave_out: Path | None = None) -> Read:
    """Return the regular files below `folder` that can matter. Raises `SubmissionError`."""
    collector = Collector()
    collect_folder(folder, "", collector, leave_out)
    return collector.finish()


def collect_folder(
    folder: Path, prefix: str, into: Collector, leave_out: Path | None = None
) -> None:
    """Hand the files below `folder` to `into`, their paths begun with `prefix`."""
    for path in _walk(folder, prefix, into, leave_out):
        name = prefix + path.relative_to(folder).as_posix()
        collect_file(path, name, into)


def collect_file(path: Path, name: str, into: Collector) -> None:
    """Hand one file to `into`, as `name`."""
    archive = is_archive(name)
    if not (archive and into.wants_archive) and not is_relevant(name):
        into.skip(name, "a link" if path.is_symlink() else "")
        return
    data = read_regular(path, limit_of(name))
    if archive:
        into.keep_archive(name, data)
    elif data is None:
        why = why_not(path, limit_of(name))
        into.skip(name, why.words, too_large=why.too_large)
    else:
        into.add(name, data)


def _walk(folder: Path, prefix: str, into: Collector, leave_out: Path | None) -> Iterator[Path]:
    """Yield entries below `folder` in sorted order, not following links, junk folders left out.

    Raises `SubmissionError` past the limits, `CallerError` where a folder cannot be read.
    """
    count, waiting = 0, [(folder, prefix, 0)]
    while waiting:
        where, base, depth = waiting.pop()
        folders, names = _listed(where)
        count += len(folders) + len(names)
        if count > MAX_WALKED:
            raise SubmissionError(f"more than {MAX_WALKED} files: hand in the source only")
        if ENVIRONMENT in names and depth:
            into.skip(base, "a virtual environment")
            continue
        yield from (where / name for name in names)
        inner = []
        for name in folders:
            if name in JUNK_FOLDERS:
                into.skip(f"{base}{name}/" if name != COMPILED else f"{name}/", NOT_YOURS)
            elif is_same(where / name, leave_out):
                into.skip(f"{base}{name}/", "the results of an earlier run")
            elif depth == MAX_FOLDERS:
                into.skip(f"{base}{name}/", f"more than {MAX_FOLDERS} folders in each other")
            else:
                inner.append((where / name, f"{base}{name}/", depth + 1))
        waiting += reversed(inner)


def is_same(path: Path, other: Path | None) -> bool:
    """Return whether both stand for one folder that is there."""
    if other is None or path.name != other.resolve().name:
        return False
    return other.exists() and path.samefile(other)


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """Return the folders and the other entries directly in a folder, links among the latter."""
    folders, names = list[str](), list[str]()
    try:
        with os.scandir(folder) as rows:
            for row in rows:
                (folders if row.is_dir(follow_symlinks=False) else names).append(row.name)
    except OSError as error:
        raise CallerError(f"{folder} cannot be read: {error.strerror}") from error
    return sorted(folders), sorted(names)


def read_regular(path: Path, limit: int = MAX_FILE) -> bytes | None:
    """Return the bytes of a regular file of at most `limit`; None for anything else.

    Raises `CallerError` where it is not ours to read: that says nothing about the candidate.
    Opened without following a link, without blocking on a pipe, and examined
    after opening, so that it cannot be swapped in between.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError as error:
        raise CallerError(f"{path} cannot be read: {error.strerror}") from error
    except OSError:
        return None
    with os.fdopen(fd, "rb") as stream:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        data = stream.read(limit + 1)
    return data if len(data) <= limit else None


def why_not(path: Path, limit: int) -> Omission:
    """Return why `read_regular` gave nothing, as a guess: the file may have changed since."""
    try:
        facts = path.lstat()
    except OSError:
        return Omission("it cannot be read")
    if stat.S_ISLNK(facts.st_mode):
        return Omission("a link")
    if not stat.S_ISREG(facts.st_mode):
        return Omission("no regular file")
    return too_large(limit) if facts.st_size > limit else Omission("it cannot be read")
