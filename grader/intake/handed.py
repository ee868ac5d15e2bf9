"""What one candidate handed in, as bytes of which nothing has been looked at yet.

Reading the bytes costs what the limits on them allow; looking at them is for a process
that can be ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from grader.intake.files import Read
from grader.intake.find import assemble, empty
from grader.records import Submission


@dataclass(frozen=True, slots=True)
class Handed:
    """The files of one candidate, or why there are none (`refused`).

    `who` is what an export calls the candidate by.
    """

    id: str
    name: str
    read: Read
    who: str = ""
    refused: str = ""

    @property
    def digest(self) -> str:
        """Return the sha256 of all that was handed in, whatever the order of reading."""
        total = hashlib.sha256()
        for part in self._parts():
            total.update(b"%d:" % len(part))
            total.update(part)
        return f"sha256:{total.hexdigest()}"

    def _parts(self) -> Iterator[bytes]:
        read = self.read
        inner = (read.inner,) if read.inner is not None else ()
        for file in sorted((*read.files, *inner), key=lambda f: f.path):
            yield from (file.path.encode("utf-8", "surrogatepass"), file.data)
        words = (self.refused, self.who, self.name, *sorted(read.explained))
        yield from (text.encode("utf-8", "surrogatepass") for text in words)

    def take_in(self) -> Submission:
        """Return the submission. Never raises for what it is."""
        if self.refused:
            submission = empty(self.id, self.name, self.refused, self.read.explained)
        else:
            submission = assemble(self.id, self.name, self.read)
        return replace(submission, who=self.who)
