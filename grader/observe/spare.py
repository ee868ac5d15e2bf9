"""Spare children: they have answered all steps of a submission, and are asked further questions.

A fork, its lock-down and its end cost as much as a question does. Whether a child served the
submission before makes no difference to what an answer may be believed for: it always ran
the submission's code first. It loads the submission anew for each further question; where it
does not answer well, a fresh child is asked, in what is left of the time.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from grader.records import Ended
from grader.sandbox.control import Limits
from grader.sandbox.pool import Zygote
from grader.sandbox.session import Child, Reply

LEAST_SECONDS = 0.05
"""With less time left a fresh child would not come to answer."""


class SpareChildren:
    """The children that are still there, by side. A context manager: they end with it."""

    def __init__(self) -> None:
        self._children: dict[str, Child] = {}

    def __enter__(self) -> SpareChildren:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def keep(self, side: str, child: Child) -> None:
        """Take over a child, and close it in the end."""
        self._children[side] = child

    def child(self, side: str) -> Child | None:
        """Return the child of a side ("numpy" or "torch") that can be asked; None for none."""
        child = self._children.get(side)
        return child if child is not None and child.alive else None

    def drop(self, side: str) -> None:
        """End the child of a side, if there is one."""
        if side in self._children:
            self._children.pop(side).close()

    def close(self) -> None:
        """End them all."""
        while self._children:
            self._children.popitem()[1].close()


def ask(
    child: Child | None,
    zygote: Zygote,
    limits: Limits,
    request: tuple[str, Mapping[str, Any], int],
    seconds: float,
) -> Reply:
    """Return the answer to `request` (kind, items, the most bytes of a reply) within `seconds`.

    Of `child`, or where there is none, or it gives none, of a fresh one. Raises `SandboxError`.
    """
    until = time.monotonic() + seconds
    if child is not None:
        child.extend(seconds)
        reply = child.request(*request)
        if reply.ended is Ended.OK or time.monotonic() > until - LEAST_SECONDS:
            return reply
    else:
        zygote.facts()  # waits for the preloading, which is not the submission's time
        until = time.monotonic() + seconds
    with zygote.spawn(limits, until - time.monotonic()) as fresh:
        fresh.greet()
        return fresh.request(*request)
