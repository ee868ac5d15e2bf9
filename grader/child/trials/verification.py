"""Puts a submission's own verification to the test: does it notice a wrong gradient?

Child's side. First it finds where each gradient stands in a run of `verify`; then it runs
`verify` again and again, strictest trial first, as long as there is time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from grader.child.coerce import TENSORS
from grader.child.reports import (
    MISSED,
    NOWHERE,
    OWN_NUMBERS,
    CheckForm,
    Corruption,
    CorruptionKind,
    TrialOutcome,
    VerificationReport,
    to_json,
)
from grader.child.trials.examination import Examination
from grader.child.trials.response import refusal
from grader.child.trials.verification_session import VerificationSession, check_of, is_given

if TYPE_CHECKING:
    from grader.child.driver import Driver


class VerificationExamination(Examination):
    """All trials of one submission's verification."""

    REPORT = VerificationReport

    def __init__(self, driver: Driver, files: dict[str, bytes], items: Mapping[str, Any]) -> None:
        super().__init__(driver, files, items)
        self.facts = VerificationReport()
        self.check = check_of(driver)
        if self.check is None:
            self.case = OWN_NUMBERS

    def take(self) -> None:
        """Make all trials, strictest first."""
        self.facts = VerificationReport(CheckForm.FUNCTION if self.check else CheckForm.SCRIPT)
        main = VerificationSession(
            self.subject, self.check, self.arguments(0) if self.check else None
        )
        self._describe(main)
        if main.says_no() or not main.equal:
            return
        self.try_all(main, "first", TENSORS)
        if self.check is None and not self.refused():
            return  # a demo that compares nothing
        late = {t for t in TENSORS if self.plan.thorough or self.missed(t)}
        late |= self._transposed(main)
        self.try_all(main, "more", [t for t in TENSORS if t in late])
        for tensor in TENSORS:
            if self.missed(tensor):
                self._climb(main, tensor)

    def _describe(self, session: VerificationSession) -> None:
        """Report what can be said before anything is made wrong."""
        no = session.says_no()
        by = refusal(session.base, session.raw) if session.equalised else None
        different, divergence = session.different() if no else ((), NOWHERE)
        self.facts = replace(
            self.facts,
            accepts=not no,
            accepts_as_is=by is None and not no,
            by_as_is=by,
            equalised=session.equalised,
            equal=session.equal,
            sides=session.runs_a_side(),
            autograd=session.runs_autograd(),
            given=self.check is not None and is_given(self.driver) and not session.draws,
            different=different,
            verdict=session.verdict_place(),
            refusal=session.refusal_place() if session.base.objects else NOWHERE,
            divergence=divergence if different else NOWHERE,
        )

    def _transposed(self, main: VerificationSession) -> set[str]:
        """Try transposed gradients, on square inputs if any are taken; return those missed."""
        weights, before = ("W1", "W2", "X"), len(self.trials)
        if self.check is None:
            self.try_all(main, "transposed", weights)
        else:
            first_case, self.case = self.case, self.plan.cases[1]
            square = VerificationSession(self.subject, self.check, self.arguments(1))
            if square.equal and not square.says_no():
                self.try_all(square, "transposed", weights)
            self.case = first_case
        return {t.tensor for t in self.trials[before:] if t.outcome in MISSED}

    def _climb(self, session: VerificationSession, tensor: str) -> None:
        """Find between which two of the ladder's errors a scaled gradient is first refused."""
        outcomes = [t.outcome for t in self.of(tensor)]
        if outcomes[0] is not TrialOutcome.ACCEPTED or TrialOutcome.REFUSED not in outcomes:
            return  # it is tight enough, or not looked at
        ladder = self.plan.ladder
        low, high = 0, len(ladder)  # the first is known to pass, what is above the last is not
        while high - low > 1 and self.in_time:
            middle = (low + high) // 2
            corruption = Corruption(CorruptionKind.SCALE, 1.0 + ladder[middle])
            passes = self.report(session, tensor, corruption).outcome is TrialOutcome.ACCEPTED
            low, high = (middle, high) if passes else (low, middle)

    def result(self, stopped: str) -> dict[str, Any]:
        """Return the items of the reply; `stopped` says what ended the trials early."""
        report = replace(self.facts, trials=tuple(self.trials), stopped=stopped)
        return {"report": to_json(report)}
