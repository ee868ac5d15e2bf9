"""The outcomes of a run. Their outlines stand in a file without a name, not in memory.

A cohort may have more answers than memory has room for their outlines. Of each answer two
numbers are kept, the place of its outline; it is read again for each page or table.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import weakref
from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import CallerError


@dataclass(frozen=True, slots=True)
class Graded:
    """One submission's outcome: the outline of its `result.json`, and whether it was kept.

    The outline is what the cohort's pages need (`overview.outline`); the whole stays on disk.
    """

    id: str
    document: dict[str, Any]
    kept: bool


class Outcomes(Collection[Graded]):
    """`Graded`, in the order of their numbers however they came in; read from disk, one at a time.

    The file has no name: whatever ends the run, nothing is left of it. It can be made again, for
    the results themselves are on disk.
    """

    def __init__(self, count: int, folder: Path) -> None:
        """Make room for `count` outcomes, in a file on the disk of `folder`.

        Raises `CallerError` when that disk cannot be written.
        """
        suffix = f".{secrets.token_hex(4)}.tmp"  # `sweep` knows it, where there must be a name
        try:
            self._file = tempfile.TemporaryFile(  # noqa: SIM115  # open as long as it is read
                buffering=0, prefix=".outlines.", suffix=suffix, dir=folder
            )
        except OSError as error:
            raise _unwritable(folder, error) from error
        weakref.finalize(self, self._file.close)
        self._folder, self._end = folder, 0
        self._starts, self._sizes = array("Q", [0]) * count, array("Q", [0]) * count

    def put(self, number: int, graded: Graded) -> None:
        """Write down the outcome of one number. Raises `CallerError` on a full disk."""
        facts = [graded.id, graded.document, graded.kept]
        line = json.dumps(facts, separators=(",", ":")).encode()
        start, rest = self._end, memoryview(line)
        try:
            while rest:  # a disk that fills up takes a part
                written = os.pwrite(self._file.fileno(), rest, self._end)
                self._end, rest = self._end + written, rest[written:]
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        self._starts[number], self._sizes[number] = start, len(line)

    def __len__(self) -> int:
        return len(self._sizes)

    def __iter__(self) -> Iterator[Graded]:
        """Yield each outcome. Raises `LookupError` at one that has not come in."""
        for start, size in zip(self._starts, self._sizes, strict=True):
            if not size:
                raise LookupError("an outcome is missing: the run has not come to its end")
            yield Graded(*json.loads(os.pread(self._file.fileno(), size, start)))

    def __contains__(self, graded: object) -> bool:
        return any(graded == one for one in self)


@dataclass(frozen=True, slots=True)
class Documents(Collection[dict[str, Any]]):
    """The outlines of outcomes alone; can be iterated more than once."""

    graded: Collection[Graded]

    def __len__(self) -> int:
        return len(self.graded)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (one.document for one in self.graded)

    def __contains__(self, document: object) -> bool:
        return any(document == one for one in self)


def _unwritable(folder: Path, error: OSError) -> CallerError:
    return CallerError(f"{folder} cannot be written: {error.strerror}")
