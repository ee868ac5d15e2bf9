"""What was found: what a check measured, and the bug that explains it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """`skipped` waited for something; `error` is the harness's fault; `manual` is a human's."""

    PASS = "pass"
    FAIL = "fail"
    SKIPPED = "skipped"
    ERROR = "error"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured line: expected against observed, on which case.

    `verdict` says whether this line speaks for (`pass`) or against (`fail`) the candidate.
    """

    what: str
    expected: str
    observed: str
    case: str = ""
    ratio: str = ""
    verdict: CheckStatus = CheckStatus.FAIL


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check measured. `waited_for` names the checks a `skipped` one waits on."""

    check: str
    status: CheckStatus
    message: str
    evidence: tuple[Evidence, ...] = ()
    waited_for: tuple[str, ...] = ()


class Severity(StrEnum):
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"


class Confidence(StrEnum):
    PROVEN = "proven"
    LIKELY = "likely"


@dataclass(frozen=True, slots=True)
class Mend:
    """An edit with which checks pass that did not: run through the whole examination.

    `line` is the first that changes, `before` and `after` the lines that go and come,
    `diff` both with their neighbours as a unified diff's hunks. `passes` are the checks won,
    with the other mends in place where `words`, the sentence about them, says so. For
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
    mend: Mend | None = None
