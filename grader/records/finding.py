"""What one check measured."""

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
