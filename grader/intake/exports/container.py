"""The folder or archive that holds a cohort.

All names are read first, and the bytes of a submission only when it is graded.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
import threading
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from grader.errors import CallerError, SubmissionError
from grader.intake.archives import (
    SHOWN,
    Header,
    LimitedStream,
    Member,
    clean_member,
    collect_member,
    environments_of,
    read_archive,
    why_no_tar_member,
    without_gzip,
    zip_members,
)
from grader.intake.files import (
    MAX_ARCHIVE,
    MAX_WALKED,
    Collector,
    collect_file,
    collect_folder,
    is_archive,
    is_same,
    read_regular,
    too_large,
)

MAX_MEMBERS = 300_000
"""Of a cohort's archive: fifty thousand submissions of a few files each."""

MAX_COHORT = 4 << 30
"""Bytes of a cohort's tar, unpacked."""

MAX_METADATA = 64 << 20
SPOOLED = 1 << 20


@dataclass(frozen=True, slots=True)
class ContainerEntry:
    """A file or folder; `path` is relative to the container, POSIX."""

    path: str
    is_folder: bool

    @property
    def name(self) -> str:
        """Return the last part of the path."""
        return self.path.rpartition("/")[2]


class CohortContainer(ABC):
    """A folder or an archive. `left_out` grows by what is neither followed nor opened."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.left_out: dict[str, None] = {}

    @abstractmethod
    def entries(self, folder: str = "") -> list[ContainerEntry]:
        """Return what is directly in `folder`, by name, without hidden things and links."""

    @abstractmethod
    def has(self, path: str) -> bool:
        """Return whether there is anything at `path`, hidden or not."""

    @abstractmethod
    def read(self, path: str, limit: int) -> bytes | None:
        """Return the bytes of a regular file of at most `limit`; None for anything else."""

    @abstractmethod
    def collect(self, entry: ContainerEntry, name: str, into: Collector) -> None:
        """Hand a file, or all of a folder, to `into`; in there it is called `name`."""

    def leave_out_others(self, entries: Iterable[ContainerEntry], paths: set[str]) -> None:
        """Note the entries whose path is not among `paths`."""
        for entry in entries:
            if entry.path not in paths:
                self.left_out[f"{entry.name} (not called like a submission)"] = None

    def collect_handed(self, entry: ContainerEntry, name: str, into: Collector) -> None:
        """Collect like `collect`, but of an archive its members."""
        if entry.is_folder or not is_archive(entry.name):
            self.collect(entry, name, into)
            return
        data = self.read(entry.path, MAX_ARCHIVE)
        if data is None:
            raise SubmissionError(f"{name} cannot be read, or is {too_large(MAX_ARCHIVE).words}")
        read = read_archive(entry.name, data)
        for file in read.files:
            into.add(file.path, file.data)
        for path in read.passed_over:
            into.skip(path, read.reasons.get(path, ""), too_large=path in read.too_large)
        if read.inner is not None:
            into.keep_archive(read.inner.path, read.inner.data)


def is_hidden(name: str) -> bool:
    """Return whether an entry is nobody's submission: dot files, `__MACOSX`, `__pycache__`."""
    return name.startswith((".", "__"))


class FolderContainer(CohortContainer):
    """A folder. Links in it are left out: who fills it must not choose what else is read."""

    def __init__(self, root: Path, leave_out: Path | None = None) -> None:
        super().__init__(root.resolve().name)
        self.root, self.leave_out = root, leave_out

    def entries(self, folder: str = "") -> list[ContainerEntry]:
        visible = []
        with os.scandir(self.root / folder) as rows:
            for row in rows:
                path = f"{folder}{row.name}"
                if is_hidden(row.name):
                    continue
                if row.is_symlink():
                    self.left_out[f"{path} (a link)"] = None
                elif is_same(self.root / path, self.leave_out):
                    self.left_out[f"{path} (the results of an earlier run)"] = None
                else:
                    visible.append(ContainerEntry(path, row.is_dir(follow_symlinks=False)))
        return sorted(visible, key=lambda e: Path(e.path))

    def has(self, path: str) -> bool:
        return os.path.lexists(self.root / path)

    def read(self, path: str, limit: int) -> bytes | None:
        return read_regular(self.root / path, limit)

    def collect(self, entry: ContainerEntry, name: str, into: Collector) -> None:
        path = self.root / entry.path
        if entry.is_folder:
            collect_folder(path, name, into)
        else:
            collect_file(path, name, into)


class ArchiveContainer(CohortContainer):
    """A zip or a tar, whose names were all read when it was opened."""

    def __init__(self, title: str, members: dict[str, Member]) -> None:
        super().__init__(title)
        self.members = members
        self.children: dict[str, dict[str, bool]] = {"": {}}
        for path in members:
            self._place(path)

    def _place(self, path: str) -> None:
        """Note a file under its folder, and its folders under theirs."""
        folder, _, name = path.rpartition("/")
        folder = f"{folder}/" if folder else ""
        new = folder not in self.children
        self.children.setdefault(folder, {}).setdefault(name, False)
        while new:
            outer, _, name = folder[:-1].rpartition("/")
            outer = f"{outer}/" if outer else ""
            new = outer not in self.children
            self.children.setdefault(outer, {})[name] = True
            folder = outer

    def entries(self, folder: str = "") -> list[ContainerEntry]:
        rows = self.children.get(folder, {})
        visible = []
        for name in sorted(rows):
            why = "" if rows[name] else self.members[folder + name].why_not
            if why:
                self.left_out[f"{folder}{name} ({why})"] = None
            elif not is_hidden(name):
                visible.append(ContainerEntry(folder + name, rows[name]))
        return visible

    def has(self, path: str) -> bool:
        return path in self.members or f"{path}/" in self.children

    def read(self, path: str, limit: int) -> bytes | None:
        member = self.members.get(path)
        return None if member is None or member.why_not else member.read(limit)

    def collect(self, entry: ContainerEntry, name: str, into: Collector) -> None:
        if not entry.is_folder:
            member = self.members[entry.path]
            collect_member(name, member, frozenset(), into)
            return
        base = f"{entry.path}/"
        paths = self._below(base)
        if len(paths) > MAX_WALKED:
            raise SubmissionError(f"more than {MAX_WALKED} files: hand in the source only")
        names = {path: name + path.removeprefix(base) for path in paths}
        environments = environments_of(names.values())
        for path, renamed in names.items():
            collect_member(renamed, self.members[path], environments, into)

    def _below(self, base: str) -> list[str]:
        """Return the files below a folder, in order; of too many only as many as are too many."""
        paths: list[str] = []
        for name, is_folder in sorted(self.children.get(base, {}).items()):
            paths += self._below(f"{base}{name}/") if is_folder else [base + name]
            if len(paths) > MAX_WALKED:
                break
        return paths


# ── opening ──────────────────────────────────────────────────────────────────


def open_container(path: Path, leave_out: Path | None = None) -> CohortContainer:
    """Return the cohort at `path`. Raises `CallerError` for what is no folder and no archive."""
    if path.is_dir():
        return FolderContainer(path, leave_out)
    if not path.is_file() or not is_archive(path.name):
        raise CallerError(f"{path}: there is no such folder, .zip or .tar.gz")
    title = path.name
    try:
        if path.name.lower().endswith(".zip"):
            return ArchiveContainer(title, _zip_members(path))
        return ArchiveContainer(title, _tar_members(path))
    except (CallerError, SubmissionError) as error:
        raise CallerError(f"{path}: {error}") from error
    except Exception as error:  # BadZipFile, TarError, zlib.error, OSError, a hostile header's
        raise CallerError(f"{path} cannot be read as an archive: {error}") from error


def _zip_members(path: Path) -> dict[str, Member]:
    archive = zipfile.ZipFile(path)
    if len(archive.infolist()) > MAX_MEMBERS:
        raise CallerError(f"it has more than {MAX_MEMBERS} members: unpack it and name the folder")
    lock = threading.Lock()

    def reader(member: Member) -> Callable[[int], bytes | None]:
        def read(limit: int) -> bytes | None:
            try:
                with lock:
                    return member.read(limit)
            except Exception as error:  # its header lies, or its data is damaged
                raise SubmissionError(f"{member.name[:SHOWN]} is damaged: {error}") from error

        return read

    names = ((clean_member(member.name), member) for member in zip_members(archive))
    return {name: replace(m, read=reader(m)) for name, m in names if name is not None}


def _tar_members(path: Path) -> dict[str, Member]:
    """Return the members of a tar, unzipped once into a nameless file, to read in any order."""
    plain = _plain_tar(path)
    lock = threading.Lock()

    def reader(row: tarfile.TarInfo) -> Callable[[int], bytes | None]:
        start, size = row.offset_data, row.size

        def read(limit: int) -> bytes | None:
            if size > limit:
                return None
            with lock:
                plain.seek(start)
                return plain.read(size)

        return read

    members: dict[str, Member] = {}
    with tarfile.open(fileobj=plain, mode="r:", tarinfo=Header) as archive:
        for number, row in enumerate(archive):
            vars(archive)["members"].clear()  # it would keep them all
            if number >= MAX_MEMBERS:
                raise CallerError(f"it has more than {MAX_MEMBERS} members: unpack it first")
            name = clean_member(row.name)
            if name is not None and not row.isdir():
                members[name] = Member(name, reader(row), why_no_tar_member(row))
    return members


def _plain_tar(path: Path) -> IO[bytes]:
    plain: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as it is read
    with path.open("rb") as packed:
        stream = LimitedStream(without_gzip(packed), MAX_COHORT)
        while chunk := stream.read(SPOOLED):
            plain.write(chunk)
    plain.seek(0)
    return plain
