"""What is not earned whatever its numbers say: the work that a check measures was not done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grader.defects import BY_CODE
from grader.records import CheckStatus, Confidence, Defect, Finding

UNDECIDED = (CheckStatus.ERROR, CheckStatus.MANUAL)


@dataclass(frozen=True, slots=True)
class Shut:
    """The findings under the kinds that shut checks.

    `codes` are, by check, those that shut it; `sentences` say at the top what follows.
    """

    findings: Mapping[str, Finding]
    codes: Mapping[str, tuple[str, ...]]
    sentences: tuple[str, ...]


def shut(findings: Mapping[str, Finding], defects: Sequence[Defect]) -> Shut:
    """Return the findings with those failed that a proven defect shuts.

    A check that failed already, or waits, keeps what it says, and is not given back. What kinds
    leave to a person's review costs nothing, and is said at the top too.
    """
    after, codes, sentences = dict(findings), dict[str, tuple[str, ...]](), list[str]()
    for defect in defects:
        kind = BY_CODE.get(defect.code)
        if kind is None or defect.confidence is not Confidence.PROVEN:
            continue
        if kind.needs_review:
            sentences.append(f"Needs review: {defect.message}")
        closed = [
            check
            for check in kind.shut_checks(defect.tensors, findings)
            if findings[check].status not in UNDECIDED
        ]
        for check in closed:
            codes[check] = tuple(dict.fromkeys((*codes.get(check, ()), defect.code)))
            if after[check].status is CheckStatus.PASS:
                message = f"Not earned: {defect.message}"
                after[check] = replace(after[check], status=CheckStatus.FAIL, message=message)
        if closed:
            first, more = min(closed), len(closed) - 1
            rest = f" and {more} more" if more else ""
            sentences.append(f"{kind.what} So these checks are not earned: {first}{rest}.")
    return Shut(after, codes, tuple(dict.fromkeys(sentences)))
