"""What a check is: one function, with all facts about it in its declaration.

The function's docstring says what is asserted, in words for the candidate;
manual, report and rubric validation derive from the declaration.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from grader.checks.view import View
from grader.records import CheckStatus, Evidence, Finding, Mismatch
from grader.records.finding import UNANSWERED


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a check's function gives; the runner adds the check's id."""

    status: CheckStatus
    message: str
    evidence: tuple[Evidence, ...] = ()
    waited_for: tuple[str, ...] = ()


Function = Callable[[View], Conclusion]

CALLED = ("forward", "backward", "pytorch")
"""The parts that are a function of the candidate's; `<part>.runs` checks that it can be called."""


@dataclass(frozen=True, slots=True)
class Check:
    """A declared check. `needs` are the checks that must pass before this one says anything.

    `serves` is the requirement of the problem statement that it measures.
    `tensor` is the one whose numbers or shape it compares, in the network's names; `condition`
    says when, and is "" for ordinary inputs. `of_loss`: it looks at the loss of `forward`, and
    has nothing to look at without one. `beyond_numbers`: it looks at more than losses and
    gradients, so it may fail without any fault in those.
    """

    id: str
    title: str
    hint: str
    serves: str
    needs: tuple[str, ...]
    asserts: str
    run: Function
    tensor: str = ""
    condition: str = ""
    of_loss: bool = False
    beyond_numbers: bool = False

    @property
    def part(self) -> str:
        """Return `backward` of `backward.dW1`."""
        return self.id.partition(".")[0]

    def finding(self, conclusion: Conclusion) -> Finding:
        """Return a conclusion of this check under its id."""
        c = conclusion
        return Finding(self.id, c.status, c.message, c.evidence, c.waited_for)


def check(
    id: str,
    title: str,
    *,
    hint: str,
    serves: str,
    needs: tuple[str, ...] | None = None,
    asserts: str = "",
    tensor: str = "",
    condition: str = "",
    of_loss: bool = False,
    beyond_numbers: bool = False,
) -> Callable[[Function], Check]:
    """Declare the decorated function as a check; see `Check`.

    Without `needs` it needs that the function of its part runs. `asserts` is in the place of the
    docstring of a function that is made for each tensor.
    """
    part = id.partition(".")[0]
    if needs is None:
        needs = (f"{part}.runs",) if part in CALLED else ()

    def declare(function: Function) -> Check:
        text = asserts or inspect.cleandoc(function.__doc__ or "")
        facts = tensor, condition, of_loss, beyond_numbers
        return Check(id, title, hint, serves, needs, text, function, *facts)

    return declare


def passed(message: str, *evidence: Evidence) -> Conclusion:
    """Return that the check passes."""
    return Conclusion(CheckStatus.PASS, message, evidence)


def failed(message: str, *evidence: Evidence) -> Conclusion:
    """Return that the check fails."""
    return Conclusion(CheckStatus.FAIL, message, evidence)


def waits(message: str, *checks: str) -> Conclusion:
    """Return that nothing can be said before `checks` pass."""
    return Conclusion(CheckStatus.SKIPPED, message, waited_for=checks)


def left_open(message: str, *evidence: Evidence) -> Conclusion:
    """Return that a person has to judge."""
    return Conclusion(CheckStatus.MANUAL, message, evidence)


def judge(evidence: list[Evidence], good: str, bad: str = "") -> Conclusion:
    """Pass when every line passed; otherwise fail in the words of the first that did not.

    `bad` is the message to fail with instead. No evidence proves nothing, so an empty list is
    the harness's mistake.
    """
    if not evidence:
        raise ValueError("a check without evidence")
    against = [line for line in evidence if not line.good]
    if not against:
        return passed(good, *evidence)
    lines = (*against, *(line for line in evidence if line.good))
    return failed(bad or _sentence(against[0]), *lines)


def _sentence(line: Evidence) -> str:
    where = f", on case {line.case}" if line.case else ""
    came = f"got {line.observed}; expected {line.expected}"
    return f"{line.what}: {line.observed if line.mismatch in UNANSWERED else came}{where}."


def line(
    what: str,
    good: bool,
    expected: str,
    otherwise: str,
    case: str = "",
    tensor: str = "",
    mismatch: Mismatch = Mismatch.VALUE,
) -> Evidence:
    """Return a line that shows `expected` again where it is good, else `otherwise`."""
    observed = expected if good else otherwise
    return Evidence(what, expected, observed, case, "", CheckStatus.of(good), tensor, mismatch)


def listed(words: list[str], separator: str = ", ") -> str:
    """Return the first four different words, and how many more there are."""
    first = list(dict.fromkeys(words))
    more = f" and {len(first) - 4} more" if len(first) > 4 else ""
    return separator.join(first[:4]) + more
