"""Why an answer has no score although nothing of ours failed, and what a person can do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class UnjudgedReason(StrEnum):
    """What kept an answer from being judged."""

    UNCALLED = "uncalled"  # it holds code that computes, and no way to call it was found
    UNENDED = "unended"  # time or memory was used up before anything could be called
    UNREADABLE = "unreadable"  # no file of it can be read as Python or as a notebook


@dataclass(frozen=True, slots=True)
class CallAttempt:
    """The way of calling one part that went furthest.

    `part` is "numpy" or "torch", `call` how it was made, `error` what it ended with, in one
    line. `line` is 0 where no line of the submission is known. `tried` counts the ways.
    """

    part: str
    call: str = ""
    error: str = ""
    file: str = ""
    line: int = 0
    tried: int = 0


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Why there is no score. `sentence` says it, `advice` what a person can do.

    `found` are the places that compute, as sentences. `settings` are lines for
    `submission.yaml`, a best guess; () where no name would help.
    """

    reason: UnjudgedReason
    sentence: str
    advice: str
    attempts: tuple[CallAttempt, ...] = ()
    found: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
