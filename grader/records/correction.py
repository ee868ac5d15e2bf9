"""A slip that kept an answer from running, and the edit without which nothing was graded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Correction:
    """The line `line` of `path`, from 1, as it was handed in and as it was graded.

    `slip` names what the edit touches, such as "punctuation"; see `source.corrections.version`.
    """

    path: str
    line: int
    before: str
    after: str
    slip: str
