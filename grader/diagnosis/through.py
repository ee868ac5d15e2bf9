"""Which lost checks fail just so where the faults found are all that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from grader.checks import ALL_CHECKS, Seen, run_checks
from grader.checks.check import Check
from grader.diagnosis.found import Explanation, Found
from grader.diagnosis.simulate import simulated
from grader.records import CheckStatus

BY_HAND = ("forward.", "backward.")
"""The checks of what is simulated: the NumPy part."""

NOT_WON = (CheckStatus.FAIL, CheckStatus.SKIPPED)
MISSING = "grad-missing"


def through_faults(
    seen: Seen, explanation: Explanation, missing: Sequence[str], lost: Collection[str]
) -> dict[str, list[str]]:
    """Lost check → the codes that suffice for losing it, each alone; all where only all do.

    `missing` are gradients that do not come back, which is a defect of its own.
    """
    found = (*explanation.forward, *explanation.backward)
    codes = list(dict.fromkeys(f.fault.code for f in found))
    everything = [*codes, *([MISSING] if missing else [])]
    asked = {check for check in lost if check.startswith(BY_HAND)}
    if not everything or not asked:
        return {}
    together = _lost(seen, explanation, found, missing, asked)
    if len(everything) == 1:
        return dict.fromkeys(together, everything)
    by_check: dict[str, list[str]] = {check: [] for check in together}
    for code in everything:
        members = [f for f in found if f.fault.code == code]
        gone = missing if code == MISSING else ()
        for check in _lost(seen, explanation, members, gone, together):
            by_check[check].append(code)
    return {check: named or everything for check, named in by_check.items()}


def _lost(
    seen: Seen,
    explanation: Explanation,
    members: Sequence[Found],
    missing: Sequence[str],
    asked: Collection[str],
) -> set[str]:
    """Those of the checks asked about that the reference with these faults loses."""
    free = [f for f in explanation.free if any(m.fault.code == f.code for m in members)]
    observations = simulated(seen.observations, seen.exam.paper, members, free, missing)
    outcome = run_checks(_with_needs(asked), Seen(seen.exam, observations, seen.trace))
    return {f.check for f in outcome if f.check in asked and f.status in NOT_WON}


def _with_needs(asked: Collection[str]) -> list[Check]:
    """The checks and all that they wait for, in their order."""
    by_id = {check.id: check for check in ALL_CHECKS}
    wanted, open_ends = set(asked), list(asked)
    while open_ends:
        needs = set(by_id[open_ends.pop()].needs) - wanted
        wanted |= needs
        open_ends += needs
    return [check for check in ALL_CHECKS if check.id in wanted]
