"""The output of a cohort for programs: one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from grader.cohort.outcomes import Graded
from grader.cohort.pace import Pace
from grader.intake import Cohort


class JsonLines:
    """As `Terminal` for a cohort, for programs: one JSON object a line, and nothing else.

    `event` is "submission" for each, as it is done, then "cohort" and "left-out", or "cut-short".
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.pace = Pace(0)

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[Graded], None]]:
        """Return a line for each outcome: what `scores.csv` says of it, and how far the run is."""
        self.pace = Pace(total)

        def line(graded: Graded) -> None:
            self.pace.count(graded)
            document = graded.document
            facts = {key: document[key] for key in ("status", "score", "max_score", "band")}
            count = {"done": self.pace.done, "total": total, "left_s": self.pace.left}
            self._say("submission", id=graded.id, kept=graded.kept, **facts, **count)

        yield line

    def cohort(self, graded: Collection[Graded], out: Path) -> None:
        """Write the totals of the run."""
        pace = self.pace
        counts = {
            "submissions": pace.done,
            "kept": pace.kept,
            "undecided": pace.undecided,
            "unjudged": pace.unjudged,
        }
        seconds = round(pace.clock() - pace.started, 3)
        self._say("cohort", **counts, wall_s=seconds, out=str(out))

    def left_out(self, cohort: Cohort) -> None:
        """Write the entries of the cohort that are no submission, and names that look alike."""
        alike = [list(group) for group in cohort.alike]
        self._say("left-out", layout=cohort.layout, names=list(cohort.left_out), alike=alike)

    def cut_short(self) -> None:
        """Write how much of an interrupted run is safe."""
        self._say("cut-short", done=self.pace.done, total=self.pace.total)

    def _say(self, event: str, **facts: Any) -> None:
        self.stream.write(json.dumps({"event": event, **facts}) + "\n")
        self.stream.flush()
