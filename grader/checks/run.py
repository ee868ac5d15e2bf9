"""Runs the checks in their order; a failed dependency skips with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grader.checks.check import Check, Conclusion, left_open, waits
from grader.checks.view import View
from grader.records import CheckStatus, Ended, Finding, Mismatch

_CALLS = {
    "forward": ("forward", "backward", "difference"),
    "backward": ("forward", "backward", "difference"),
    "pytorch": ("torch", "verify"),
    "verification": ("torch", "verify"),
}
"""By part, the calls that end one another's process when they print too much."""


def run_checks(checks: Iterable[Check], view: View) -> list[Finding]:
    """Return a finding for each check, in order.

    A check that raises is our bug, not a wrong answer: its finding is an
    `error`, which leaves the grade undecided.
    """
    findings: dict[str, Finding] = {}
    for check in checks:
        findings[check.id] = _find(check, view, findings)
    return list(findings.values())


def _find(check: Check, view: View, before: dict[str, Finding]) -> Finding:
    missing = [n for n in check.needs if before[n].status is not CheckStatus.PASS]
    if any(before[n].status is CheckStatus.ERROR for n in missing):
        return Finding(check.id, CheckStatus.ERROR, f"Waits for {missing[0]}, which broke.")
    if missing and _unknown(missing, before) and _uncalled(view, check.part):
        return check.finding(_of_uncalled(missing))
    if missing and (_unknown(missing, before) or _drowned(view, check.part)):
        return check.finding(_unassessed())
    if missing:
        listed = ", ".join(missing)
        return check.finding(waits(f"Not assessed: waits for {listed}.", *missing))
    if check.of_loss and view.step("forward/primes").lossless:
        return check.finding(waits("Not assessed: no function gives a loss.", "forward.runs"))
    try:
        conclusion = check.run(view)
        flooded = _CALLS.get(check.part, ()) and view.flooded(*_CALLS[check.part])
        return check.finding(_past_flood(conclusion, before) if flooded else conclusion)
    except MemoryError:  # too much for one submission: the process ends, the numbers are kept
        raise
    except Exception as error:
        text = f"The grader could not run this check ({type(error).__name__}: {error})."
        return Finding(check.id, CheckStatus.ERROR, text)


def _past_flood(conclusion: Conclusion, before: Mapping[str, Finding]) -> Conclusion:
    """Leave to a person what a flood of output kept from being seen; what was seen stays."""
    lines = [line for line in conclusion.evidence if not line.good]
    unseen = lines and all(line.mismatch is Mismatch.NO_ANSWER for line in lines)
    if conclusion.status is CheckStatus.FAIL and unseen:
        return _unassessed()
    if conclusion.status is CheckStatus.SKIPPED and _unknown(conclusion.waited_for, before):
        return _unassessed()
    return conclusion


def _drowned(view: View, part: str) -> bool:
    """Whether what a part calls was ended for its output on ordinary inputs already."""
    calls = _CALLS.get(part, ())
    return any(view.observations[f"{c}/primes"].ended is Ended.OUTPUT_LIMIT for c in calls)


def _uncalled(view: View, part: str) -> bool:
    """Whether a part has code that no way to call was found for."""
    return any(view.uncalled(call) for call in _CALLS.get(part, ()))


def _unknown(checks: Iterable[str], before: Mapping[str, Finding]) -> bool:
    """Whether all of the checks that are waited for are left to a person themselves."""
    statuses = {before[check].status for check in checks if check in before}
    return statuses == {CheckStatus.MANUAL}


def _unassessed() -> Conclusion:
    return left_open("Not assessed: the process was ended for what it had printed before.")


def _of_uncalled(missing: Iterable[str]) -> Conclusion:
    return left_open(f"Not judged: waits for {', '.join(missing)}, which could not be called.")
