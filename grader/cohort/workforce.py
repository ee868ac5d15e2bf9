"""The interface of what grades a cohort: a crew on this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol

from grader.cohort.worker import Finished, Work


class Workforce(Protocol):
    """Grades under one order. Use as a context manager; leaving it ends whatever was started."""

    def __enter__(self) -> Workforce:
        """Return itself; nothing is started before there is something to grade."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End everything; after an error without waiting for what is under way."""

    def grade(self, submissions: Iterator[Work]) -> Iterator[Finished]:
        """Yield each submission graded, in the order in which they are done.

        The next one is read only when there is room for it. Raises `SandboxError` when
        nothing can be graded at all.
        """
