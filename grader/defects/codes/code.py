"""What a defect code is: one row with all that is known about a kind of mistake."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from grader.records import Severity


class Area(StrEnum):
    """The part of an answer in which a defect arises."""

    INTAKE = "intake"
    FORWARD = "forward"
    BACKWARD = "backward"
    PYTORCH = "pytorch"
    VERIFICATION = "verification"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of mistake. `code` is published, so it keeps its meaning for good.

    `what` is one sentence. `shows` says how the checks' numbers give it away, `why` derives
    in at most two lines what is wrong with it. `hint` is the candidate's next step and leaves
    the last bit to them; `wrong` and `right` are the same few lines of code, before and after.
    """

    code: str
    area: Area
    severity: Severity
    what: str
    shows: str
    why: str
    hint: str
    wrong: str
    right: str
