"""One bug: its code, the tensors it reaches, its line and its repair."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"


class Part(StrEnum):
    """The part of an answer in which a defect arises."""

    INTAKE = "intake"
    FORWARD = "forward"
    BACKWARD = "backward"
    PYTORCH = "pytorch"
    VERIFICATION = "verification"


class Where(StrEnum):
    """Whether a defect stands in the graded network or in the reusable layers beside it."""

    NETWORK = "network"
    LAYERS = "layers"


class Confidence(StrEnum):
    PROVEN = "proven"
    LIKELY = "likely"


@dataclass(frozen=True, slots=True)
class Repair:
    """An edit with which checks pass that did not: run through the whole examination.

    `line` is the first that changes, `before` and `after` the lines that go and come,
    `diff` both with their neighbours as a unified diff's hunks. `passes` are the checks won,
    with the other repairs in place where `words`, the sentence about them, says so. For
    interviewers only: it is the solution.
    """

    file: str
    line: int
    before: str
    after: str
    diff: str
    passes: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Defect:
    """One bug, by code, with the tensors it reaches and the line it stands on."""

    code: str
    severity: Severity
    message: str
    hint: str
    tensors: tuple[str, ...] = ()
    confidence: Confidence = Confidence.PROVEN
    file: str | None = None
    line: int | None = None
    end_line: int | None = None
    source: str | None = None
    mend: Repair | None = None
    part: Part = Part.INTAKE
    where: Where = Where.NETWORK
