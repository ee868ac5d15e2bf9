"""What edited versions of a submission answer, tried one after another in a child of its own.

A trial only picks out what is worth examining: like a trace it is the child's
word, and no verdict rests on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from grader.errors import SandboxError
from grader.observe.observe import Allowance
from grader.observe.requests import loading_items
from grader.records import TENSORS, Array, Case, Ended, Submission
from grader.sandbox.pool import Zygote
from grader.sandbox.session import Child

SECONDS = 3.0
"""For all versions of one submission; a mend that takes longer is done without."""

MAX_VERSIONS = 12
"""Versions in one request: with three cases its answer stays within a reply's 256 items."""

MAX_CASES = 3
TEXT_ROOM = 64 * 1024

Answer = Mapping[tuple[str, str], Array]
"""What one version gave, by case and name (`loss`, or a tensor for its gradient)."""


class Trials:
    """One child that tries versions of a submission; `try_all` may be called again and again."""

    def __init__(
        self, child: Child, submission: Submission, cases: Sequence[Case], side: str, noise: int
    ) -> None:
        self.child, self.cases = child, cases[:MAX_CASES]
        items = loading_items(submission, side, noise) | {"cases": str(len(self.cases))}
        for index, case in enumerate(self.cases):
            items |= {f"{name}{index}": array for name, array in case.inputs.items()}
        self.items = items

    def try_all(self, path: str, versions: Sequence[bytes]) -> list[Answer]:
        """Return what each version of the file at `path` answers; {} when the child is gone."""
        answers: list[Answer] = []
        for start in range(0, len(versions), MAX_VERSIONS):
            answers += self._some(path, versions[start : start + MAX_VERSIONS])
        return answers

    def _some(self, path: str, versions: Sequence[bytes]) -> list[Answer]:
        room = sum(_room(case) for case in self.cases) * len(versions)
        items = self.items | {"edited": path, "edits": str(len(versions)), "max_bytes": str(room)}
        items |= {f"edit{number}": data for number, data in enumerate(versions)}
        reply = self.child.request("trial", items, room + TEXT_ROOM)
        if reply.ended is not Ended.OK:
            return [{} for _ in versions]
        return [self._read(reply.items, number) for number in range(len(versions))]

    def _read(self, items: Mapping[str, Any], number: int) -> Answer:
        return {
            (case.name, name): value
            for index, case in enumerate(self.cases)
            for name in ("loss", *TENSORS)
            if isinstance(value := items.get(f"{number}.{index}.{name}"), np.ndarray)
        }


def _room(case: Case) -> int:
    """Return bytes that a right answer on `case` needs, with room for one in another shape."""
    return 4096 + 8 * 4 * sum(array.size for array in case.inputs.values())


@contextmanager
def trials(
    submission: Submission,
    cases: Sequence[Case],
    side: str,
    noise: int,
    zygote: Zygote,
    allowance: Allowance,
) -> Iterator[Trials | None]:
    """Spawn a child that tries versions of one part; None when there can be none."""
    try:
        zygote.facts()
        child = zygote.spawn(allowance.limits, min(SECONDS, allowance.seconds))
    except SandboxError:
        yield None
        return
    with child:
        child.greet()
        yield Trials(child, submission, cases, side, noise)
