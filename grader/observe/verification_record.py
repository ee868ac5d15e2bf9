"""What is known of a submission's verification, and what that comes to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.child.reports import (
    CheckForm,
    CorruptionKind,
    TrialOutcome,
    VerificationReport,
)
from grader.observe.trials import Doubt, Trial
from grader.records import TENSORS


@dataclass(frozen=True)
class Verification(VerificationReport):
    """All that was learned of one submission's verification.

    `trials` are as blind trials bear them out, `doubt` where those leave it open.
    `sources` are the lines by file. `reason` says why there are no trials, "" otherwise;
    `broke_off` whether it ended the process when it was put to the test. `changed` names code
    of ours that is not what it was, `reaches` says that the source names such.
    """

    trials: tuple[Trial, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason: str = "not tried"
    broke_off: bool = False
    doubt: Doubt = Doubt.NONE
    changed: tuple[str, ...] = ()
    reaches: bool = False

    def of(self, tensor: str) -> list[Trial]:
        """Return the trials of one tensor that say something."""
        trials = (t for t in self.trials if t.tensor == tensor)
        return [t for t in trials if t.outcome is not TrialOutcome.NOT_APPLICABLE]

    @property
    def tested(self) -> bool:
        """Return whether any wrong gradient was shown to it, or none could make a difference."""
        return self.idle or any(self.of(tensor) for tensor in TENSORS)

    @property
    def idle(self) -> bool:
        """Return whether it says yes without computing anything."""
        return self.form is CheckForm.FUNCTION and self.accepts is True and not self.sides

    @property
    def by_script(self) -> bool:
        """Return whether the file's statements compare: some wrong gradient made them object."""
        refused = any(t.outcome is TrialOutcome.REFUSED for t in self.trials)
        return self.form is CheckForm.SCRIPT and (refused or self.accepts is False)

    @property
    def overlooked(self) -> tuple[str, ...]:
        """Return the tensors of which it refused no error at all, however gross."""
        if self.idle:
            return TENSORS
        tried = {t: self.of(t) for t in TENSORS}
        return tuple(t for t, trials in tried.items() if trials and all(s.missed for s in trials))

    def loosest(self, tensor: str) -> float:
        """Return the largest relative error that passed, below the least that did not; or 0."""
        scaled = [t for t in self.of(tensor) if t.kind is CorruptionKind.SCALE and t.amount > 1.0]
        refused = min((t.error for t in scaled if not t.missed), default=math.inf)
        return max((t.error for t in scaled if t.missed and t.error < refused), default=0.0)
