"""What all ways of calling a check share (child's side)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.child.differencing.watching import Watcher
from grader.child.verifying import saying
from grader.child.verifying.examination import ROWS, row
from grader.child.verifying.saying import Said
from grader.child.verifying.spoiling import Run
from grader.child.verifying.subject import Subject
from grader.child.verifying.surmise import Corruption


@dataclass
class Bench:
    """What all ways of calling share: who is asked, the plans, the clock, and the reply."""

    driver: Any
    subject: Subject
    watcher: Watcher
    plans: Mapping[str, Sequence[Corruption]]
    ladder: Sequence[float]
    until: float
    slowest: float = 0.0
    rows: list[str] = field(default_factory=list)
    arrays: dict[str, Any] = field(default_factory=dict)

    def tell(self, *words: object) -> None:
        """Add a row to the reply."""
        if len(self.rows) < ROWS:
            self.rows.append(row(*words))

    @property
    def in_time(self) -> bool:
        """Whether another run would end before the time is up."""
        return time.monotonic() + self.slowest < self.until

    def attempt(self, function: Callable[..., Any], run: Run, arguments: Any) -> Said:
        """One run of `function`."""
        self.subject.function = function
        started = time.monotonic()
        said = self.subject.attempt(run, arguments)
        self.slowest = max(self.slowest, time.monotonic() - started)
        return said

    def refuses(self, since: int, tensor: str = "") -> bool:
        """Whether a trial among the rows from there on, of the tensor if any, was refused."""
        rows = (line.split("\t") for line in self.rows[since:] if line.startswith("trial\t"))
        return any(words[5] in saying.WAYS for words in rows if words[4] == (tensor or words[4]))

    def said(self, error: float) -> Iterator[tuple[str, str]]:
        """(tensor, outcome) of each trial of a gradient scaled by 1 and the error."""
        rows = (line.split("\t") for line in self.rows if line.startswith("trial\t"))
        yield from ((w[4], w[5]) for w in rows if w[2:4] == ["scale", str(1.0 + error)])

    def missed(self, tensor: str) -> bool:
        """Whether a trial of the tensor was not refused."""
        rows = (line.split("\t") for line in self.rows if line.startswith("trial\t"))
        return any(words[4] == tensor and words[5] in ("accepted", "absent") for words in rows)
