"""What a check is: one function, with all facts about it in its declaration.

The function's docstring says what is asserted, in words for the candidate;
manual, report and rubric validation derive from the declaration.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from grader.checks.view import View
from grader.records import CheckStatus, Evidence, Finding
from grader.records.finding import UNANSWERED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check's function gives; the runner adds the check's id."""

    status: CheckStatus
    message: str
    evidence: tuple[Evidence, ...] = ()
    waited_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A declared check. `needs` are the checks that must pass before this one says anything.

    `serves` is the requirement of the problem statement that it measures.
    """

    id: str
    title: str
    hint: str
    serves: str
    needs: tuple[str, ...]
    asserts: str
    run: Callable[[View], Outcome]

    @property
    def part(self) -> str:
        """`backward` of `backward.dW1`."""
        return self.id.partition(".")[0]


def check(
    id: str, title: str, *, hint: str, serves: str, needs: tuple[str, ...] = ()
) -> Callable[[Callable[[View], Outcome]], Check]:
    """Declare the decorated function as a check."""

    def declare(function: Callable[[View], Outcome]) -> Check:
        asserts = inspect.cleandoc(function.__doc__ or "")
        return Check(id, title, hint, serves, needs, asserts, function)

    return declare


def passed(message: str, *evidence: Evidence) -> Outcome:
    return Outcome(CheckStatus.PASS, message, evidence)


def failed(message: str, *evidence: Evidence) -> Outcome:
    return Outcome(CheckStatus.FAIL, message, evidence)


def waits(message: str, *checks: str) -> Outcome:
    """Skipped: nothing can be said before `checks` pass."""
    return Outcome(CheckStatus.SKIPPED, message, waited_for=checks)


def judge(evidence: list[Evidence], good: str) -> Outcome:
    """Pass when every line passed; otherwise fail in the words of the first that did not.

    No evidence proves nothing, so an empty list is the harness's mistake.
    """
    if not evidence:
        raise ValueError("a check without evidence")
    bad = [line for line in evidence if not line.good]
    if not bad:
        return passed(good, *evidence)
    first = bad[0]
    where = f", on case {first.case}" if first.case else ""
    came = f"got {first.observed}; expected {first.expected}"
    text = f"{first.what}: {first.observed if first.mismatch in UNANSWERED else came}{where}."
    return failed(text, *bad, *(line for line in evidence if line not in bad))


def finding_of(check: Check, outcome: Outcome) -> Finding:
    return Finding(check.id, outcome.status, outcome.message, outcome.evidence, outcome.waited_for)
