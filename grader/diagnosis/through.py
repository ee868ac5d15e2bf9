"""Which lost checks fail just so where the faults found are all that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from grader.checks import ALL_CHECKS, View, run_checks
from grader.checks.check import Check
from grader.checks.tensors import BEYOND_NUMBERS
from grader.defects import KINDS
from grader.defects.explanation import Account, Culprit
from grader.diagnosis.numeric import code_of
from grader.diagnosis.simulate import simulated
from grader.records import CheckStatus, Finding, Part

CHECKS_OF = {"backward": ("forward", "backward"), "torch": ("pytorch",)}
"""The checks of what is simulated, by part."""

NOT_WON = (CheckStatus.FAIL, CheckStatus.SKIPPED)
MISSING = next(kind.code for kind in KINDS if kind.not_returned and kind.part is Part.BACKWARD)
"""Gradients that do not come back are a defect of their own."""


def through_faults(
    view: View, account: Account, lost: Mapping[str, Finding]
) -> dict[str, list[str]]:
    """Lost check → the codes that suffice for losing it, each alone; all where only all do.

    Gradients that do not come back are a defect of their own. Where something is not
    explained, a check has to be lost on just the same evidence: else that loses it too.
    """
    explanation = account.explanation
    found = [f for f in account.culprits if explanation.proves(f)]
    codes = list(dict.fromkeys(code_of(f.fault, account) for f in found))
    missing = account.missing if account.prefix == "backward" else ()
    everything = [*codes, *([MISSING] if missing else [])]
    asked = {c for c in lost if c.partition(".")[0] in CHECKS_OF[account.prefix]}
    if not everything or not asked:
        return {}
    together = _lost(view, account, found, missing, asked)
    if left := explanation.unexplained:
        together = {c: f for c, f in together.items() if _no_worse(lost[c], f, left)}
    beyond = [check for check in together if check in BEYOND_NUMBERS]
    without = _lost(view, account, (), (), beyond)  # what the faults have nothing to do with
    by_check: dict[str, list[str]] = {
        c: [] for c in together if c not in without or without[c].message != lost[c].message
    }
    if len(everything) == 1:
        return dict.fromkeys(by_check, everything)
    for code in everything:
        members = [f for f in found if code_of(f.fault, account) == code]
        gone = missing if code == MISSING else ()
        for check in _lost(view, account, members, gone, by_check):
            by_check[check].append(code)
    return {check: named or everything for check, named in by_check.items()}


def _lost(
    view: View,
    account: Account,
    members: Sequence[Culprit],
    missing: Sequence[str],
    asked: Collection[str],
) -> dict[str, Finding]:
    """Those of the checks asked about that the reference with these faults loses."""
    if not asked:
        return {}
    free = [f for f in account.explanation.free if any(m.fault.code == f.code for m in members)]
    observations = simulated(
        view.observations, view.exam.paper, members, free, missing, account.prefix
    )
    outcome = run_checks(_with_needs(asked), View(view.exam, observations, view.trace))
    return {f.check: f for f in outcome if f.check in asked and f.status in NOT_WON}


def _no_worse(real: Finding, predicted: Finding, left: Sequence[str]) -> bool:
    """Whether all that tells against a check is predicted: the bad evidence, or what it awaits.

    What tells of an output in `left`, which nothing predicts, is not.
    """
    against, foreseen = _against(real), _against(predicted)
    if real.status is not predicted.status or not against:
        return False
    names = {_in_network(name) for name in left}
    return against <= foreseen and not names & _tensors(real)


def _tensors(finding: Finding) -> set[str]:
    """The tensors that the bad evidence is about, or the checks that are waited for."""
    if finding.status is CheckStatus.SKIPPED:
        return {check.tensor for check in ALL_CHECKS if check.id in finding.waited_for}
    return {_in_network(line.tensor) for line in finding.evidence if not line.good}


def _in_network(output: str) -> str:
    return "loss" if output == "loss" else f"d{output}"


def _against(finding: Finding) -> set[tuple[str, str]]:
    """(what, case) of the bad evidence; for a check that waits, the checks that it waits for."""
    if finding.status is CheckStatus.SKIPPED:
        return {(check, "") for check in finding.waited_for}
    lines = finding.evidence
    return {(e.what, e.case) for e in lines if e.verdict is not CheckStatus.PASS}


def _with_needs(asked: Collection[str]) -> list[Check]:
    """The checks and all that they wait for, in their order."""
    by_id = {check.id: check for check in ALL_CHECKS}
    wanted, open_ends = set(asked), list(asked)
    while open_ends:
        needs = set(by_id[open_ends.pop()].needs) - wanted
        wanted |= needs
        open_ends += needs
    return [check for check in ALL_CHECKS if check.id in wanted]
