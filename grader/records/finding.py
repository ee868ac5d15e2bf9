"""What one check measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class CheckStatus(StrEnum):
    """`skipped` waited for something; `error` is the harness's fault; `manual` is a human's."""

    PASS = "pass"
    FAIL = "fail"
    SKIPPED = "skipped"
    ERROR = "error"
    MANUAL = "manual"

    @classmethod
    def of(cls, good: bool) -> CheckStatus:
        """Return `PASS` or `FAIL`."""
        return cls.PASS if good else cls.FAIL


class Mismatch(StrEnum):
    """How an observation differs from what was expected."""

    NONE = ""
    VALUE = "value"  # a finite value, but another one
    NOT_FINITE = "not-finite"
    SHAPE = "shape"
    DTYPE = "dtype"
    CHANGED = "changed"  # an argument after the call
    ACCEPTED = "accepted"  # what is wrong, by the candidate's own verification
    REFUSED = "refused"  # what is right
    NOTHING = "nothing"  # the call gave no such value, or one that cannot be used
    RAISED = "raised"
    NO_ANSWER = "no-answer"  # the call did not come to an end, or was not made


UNANSWERED = (Mismatch.RAISED, Mismatch.NO_ANSWER)
"""Nothing came of the call, so there is no value to hold against the expected one."""

UNWRITTEN = {"written": False}
"""Metadata of the fields that decisions rest on and `result.json` does not show."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured line: expected against observed, on which case.

    `verdict` says whether this line speaks for (`pass`) or against (`fail`) the candidate.
    `tensor` is what the line is about: "loss", or "W1" for an argument or its gradient; "" for
    anything else. `mismatch` is `NONE` where the line speaks for the candidate. `numbers` are
    what was measured, in full, where words alone stand in `observed`.
    """

    what: str
    expected: str
    observed: str
    case: str = ""
    ratio: str = ""
    verdict: CheckStatus = CheckStatus.FAIL
    tensor: str = field(default="", metadata=UNWRITTEN)
    mismatch: Mismatch = field(default=Mismatch.VALUE, metadata=UNWRITTEN)
    numbers: tuple[float, ...] = field(default=(), metadata=UNWRITTEN, compare=False)

    def __post_init__(self) -> None:
        if self.good:
            object.__setattr__(self, "mismatch", Mismatch.NONE)

    @property
    def good(self) -> bool:
        """Return whether the line speaks for the candidate."""
        return self.verdict is CheckStatus.PASS


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check measured. `waited_for` names the checks a `skipped` one waits on."""

    check: str
    status: CheckStatus
    message: str
    evidence: tuple[Evidence, ...] = ()
    waited_for: tuple[str, ...] = ()

    @property
    def bad(self) -> tuple[Evidence, ...]:
        """Return the lines against the candidate: two runs fail alike where these agree."""
        return tuple(line for line in self.evidence if not line.good)
