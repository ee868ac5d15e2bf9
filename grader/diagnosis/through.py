"""Which lost checks fail just so where the defects found are all that is wrong.

What a defect excuses is shown, never listed: the reference with the fault in it, as its formula
or its simulation has it, goes through the checks, and has to lose them in the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from grader.checks import ALL_CHECKS, View, run_checks
from grader.checks.check import Check
from grader.checks.tensors import BEYOND_NUMBERS
from grader.defects import KINDS
from grader.defects.explanation import Account, Culprit, Explanation
from grader.defects.make import kind_of
from grader.defects.simulations import Simulation
from grader.diagnosis.numeric import code_of
from grader.diagnosis.simulate import simulated
from grader.records import CheckStatus, Confidence, Defect, Finding, Part
from grader.records.finding import UNANSWERED

CHECKS_OF = {
    "backward": ("forward", "backward"),
    "torch": ("pytorch",),
    "verify": ("verification",),
}
"""The checks of what is simulated, by side."""

NOT_WON = (CheckStatus.FAIL, CheckStatus.SKIPPED)
MISSING = next(kind.code for kind in KINDS if kind.not_returned and kind.part is Part.BACKWARD)
"""Gradients that do not come back are a defect of their own."""

NOTHING = Explanation()


@dataclass(frozen=True)
class Suspect:
    """What one code stands for: wrong formulas, gradients that are missing, a simulation."""

    code: str
    culprits: tuple[Culprit, ...] = ()
    missing: tuple[str, ...] = ()
    simulation: Simulation | None = None
    tensors: tuple[str, ...] = ()


def through_faults(
    view: View, account: Account, lost: Mapping[str, Finding]
) -> dict[str, list[str]]:
    """Return the same as `through_defects`, of the faults of one account alone."""
    missing = MISSING if account.prefix == "backward" else ""
    return FaultySide(view, account.prefix, account, tuple(_formulas(account, missing))).explained(
        lost
    )


def through_defects(
    view: View,
    accounts: Sequence[Account | None],
    defects: Sequence[Defect],
    lost: Mapping[str, Finding],
) -> dict[str, list[str]]:
    """Return lost check → the codes that suffice for losing it, each alone; all where only all do.

    Only proven defects count. A check has to be lost on the same evidence as it really was.
    """
    proven = [d for d in defects if d.confidence is Confidence.PROVEN]
    by_side = {account.prefix: account for account in accounts if account is not None}
    explained: dict[str, list[str]] = {}
    for side in CHECKS_OF:
        account, here = by_side.get(side), [d for d in proven if _side(d) == side]
        formulas = _formulas(account, _missing_code(account, here)) if account else ()
        suspects = (*formulas, *_simulations(here))
        explained |= FaultySide(view, side, account, suspects).explained(lost)
    return explained


def _side(defect: Defect) -> str:
    return {Part.PYTORCH: "torch", Part.VERIFICATION: "verify"}.get(defect.part, "backward")


def _missing_code(account: Account, proven: Iterable[Defect]) -> str:
    """The code of gradients that do not come back, "" where none is proven."""
    gone = set(account.missing)
    codes = (d.code for d in proven if kind_of(d).unmeasured and gone <= set(d.tensors))
    return MISSING if account.prefix == "backward" else next(codes, "")


def _formulas(account: Account, missing: str) -> Iterator[Suspect]:
    """What one part's numbers bear out, code by code."""
    found = [c for c in account.culprits if account.explanation.proves(c)]
    for code in dict.fromkeys(code_of(c.fault, account) for c in found):
        yield Suspect(code, tuple(c for c in found if code_of(c.fault, account) == code))
    if account.missing and missing:
        yield Suspect(missing, missing=account.missing)


def _simulations(proven: Iterable[Defect]) -> Iterator[Suspect]:
    for defect in proven:
        if (simulation := kind_of(defect).simulation) is not None:
            yield Suspect(defect.code, simulation=simulation, tensors=defect.tensors)


@dataclass(frozen=True)
class FaultySide:
    """One side of a submission, and what is known to be wrong with it."""

    view: View
    name: str
    account: Account | None
    suspects: tuple[Suspect, ...]

    def explained(self, lost: Mapping[str, Finding]) -> dict[str, list[str]]:
        """Return the codes by check, of those among `lost` that are lost through the suspects."""
        asked = {c for c in lost if c.partition(".")[0] in CHECKS_OF[self.name]}
        if not self.suspects or not asked:
            return {}
        together = self._lost(self.suspects, asked)
        left = self.account.explanation.unexplained if self.account else ()
        alike = [c for c, f in together.items() if _no_worse(lost[c], f, left)]
        beyond = [check for check in alike if check in BEYOND_NUMBERS]
        without = self._lost((), beyond)  # what the faults have nothing to do with
        by_check: dict[str, list[str]] = {
            c: [] for c in alike if c not in without or without[c].message != lost[c].message
        }
        everything = list(dict.fromkeys(s.code for s in self.suspects))
        if len(everything) == 1:
            return dict.fromkeys(by_check, everything)
        for code in everything:
            alone = [s for s in self.suspects if s.code == code]
            for check in self._lost(alone, by_check):
                by_check[check].append(code)
        return {check: named or everything for check, named in by_check.items()}

    def _lost(self, suspects: Sequence[Suspect], asked: Collection[str]) -> dict[str, Finding]:
        """Those of the checks asked about that the reference with these faults loses."""
        if not asked:
            return {}
        outcome = run_checks(_with_needs(asked), self._with_faults(suspects))
        return {f.check: f for f in outcome if f.check in asked and f.status in NOT_WON}

    def _with_faults(self, suspects: Sequence[Suspect]) -> View:
        """The reference with these faults in it, as it would be seen."""
        seen, members = self.view, [c for s in suspects for c in s.culprits]
        missing = [tensor for s in suspects for tensor in s.missing]
        explanation = self.account.explanation if self.account else NOTHING
        free = [f for f in explanation.free if any(m.fault.code == f.code for m in members)]
        if self.name == "verify":
            made = self._right_sides
        else:
            paper = seen.exam.paper
            runs = simulated(seen.observations, paper, members, free, missing, self.name)
            known = seen.trace, seen.verification, seen.differences, seen.work
            made = View(seen.exam, runs, *known)
        for suspect in suspects:
            if suspect.simulation is not None:
                made = suspect.simulation(seen, made, suspect.tensors)
        return made

    @cached_property
    def _right_sides(self) -> View:
        """The reference on both sides, and the verification as it was seen."""
        seen, paper = self.view, self.view.exam.paper
        runs = simulated(seen.observations, paper, (), (), ())
        runs = simulated(runs, paper, (), (), (), "torch")
        return replace(seen, observations=runs, _memory={})


def _no_worse(real: Finding, predicted: Finding, left: Sequence[str]) -> bool:
    """Whether all that tells against a check is predicted: the bad evidence, or what it awaits.

    What tells of an output in `left`, which nothing predicts, is not.
    """
    against, foreseen = _against(real), _against(predicted)
    if real.status is not predicted.status:
        return False
    if not against:
        return not foreseen  # neither has a line to show, as where there is no function
    names = {_in_network(name) for name in left}
    return against <= foreseen and not names & _tensors(real)


def _tensors(finding: Finding) -> set[str]:
    """The tensors that the bad evidence is about, or the checks that are waited for."""
    if finding.status is CheckStatus.SKIPPED:
        return {check.tensor for check in ALL_CHECKS if check.id in finding.waited_for}
    return {_in_network(line.tensor) for line in finding.bad}


def _in_network(output: str) -> str:
    return "loss" if output == "loss" else f"d{output}"


def _against(finding: Finding) -> set[tuple[str, str, bool]]:
    """(what, case, whether a value came) of the bad evidence; or the checks that are waited for."""
    if finding.status is CheckStatus.SKIPPED:
        return {(check, "", False) for check in finding.waited_for}
    return {(e.what, e.case, e.mismatch not in UNANSWERED) for e in finding.bad}


def _with_needs(asked: Collection[str]) -> list[Check]:
    """The checks and all that they wait for, in their order."""
    by_id = {check.id: check for check in ALL_CHECKS}
    wanted, open_ends = set(asked), list(asked)
    while open_ends:
        needs = set(by_id[open_ends.pop()].needs) - wanted
        wanted |= needs
        open_ends += needs
    return [check for check in ALL_CHECKS if check.id in wanted]
