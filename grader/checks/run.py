"""Runs the checks in their order; a failed dependency skips with a reason."""

from __future__ import annotations

from collections.abc import Iterable

from grader.checks.check import Check, waits
from grader.checks.view import View
from grader.records import CheckStatus, Finding


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
    if missing:
        listed = ", ".join(missing)
        return check.finding(waits(f"Not assessed: waits for {listed}.", *missing))
    if check.of_loss and view.step("forward/primes").lossless:
        return check.finding(waits("Not assessed: no function gives a loss.", "forward.runs"))
    try:
        return check.finding(check.run(view))
    except MemoryError:  # too much for one submission: the process ends, the numbers are kept
        raise
    except Exception as error:
        text = f"The grader could not run this check ({type(error).__name__}: {error})."
        return Finding(check.id, CheckStatus.ERROR, text)
