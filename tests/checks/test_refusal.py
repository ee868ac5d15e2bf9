"""What is made of how a verification took spoiled gradients, and of not knowing it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.checks import View
from grader.checks.refusal import REFUSAL, covers, refuses, tight
from grader.child.reports import CheckForm, CorruptionKind, Refusal, TrialOutcome
from grader.cohort import Engine
from grader.intake import take_in
from grader.observe.trials import Trial
from grader.observe.verification import Verification
from grader.records import TENSORS, CheckStatus
from tests.sandbox.confined import linux_only

ROOT = Path(__file__).parents[2]
PASS, FAIL, SKIPPED = CheckStatus.PASS, CheckStatus.FAIL, CheckStatus.SKIPPED
STRICT = ((CorruptionKind.SCALE, 1.01), (CorruptionKind.ENTRY, 0.37))


@pytest.fixture(scope="module")
def view(engine: Engine) -> View:
    """The reference: its sides agree, and its verify says yes."""
    return engine._examine(take_in(ROOT / "reference"))[0]


def record(**missed: tuple[CorruptionKind, ...]) -> Verification:
    """A function that refuses everything but the kinds that are named for a tensor."""
    trials = [
        Trial("primes", kind, amount, t, TrialOutcome.ACCEPTED)
        if kind in missed.get(t, ())
        else Trial("primes", kind, amount, t, TrialOutcome.REFUSED, Refusal.RETURN)
        for t in TENSORS
        for kind, amount in STRICT
    ]  # fmt: skip
    return Verification(CheckForm.FUNCTION, True, True, trials=tuple(trials), reason="")


def judged(view: View, verification: Verification) -> list[CheckStatus]:
    """The outcomes of covers, refuses and tight."""
    return [check.run(replace(view, verification=verification)).status for check in REFUSAL]


@linux_only
@pytest.mark.parametrize(
    ("made", "statuses"),
    [
        (record(), [PASS, PASS, PASS]),
        (record(b1=(CorruptionKind.SCALE, CorruptionKind.ENTRY)), [FAIL, FAIL, PASS]),
        (record(W1=(CorruptionKind.SCALE,), X=(CorruptionKind.SCALE,)), [PASS, PASS, FAIL]),
        (record(W2=(CorruptionKind.ENTRY,)), [PASS, FAIL, PASS]),
        (record(**dict.fromkeys(TENSORS, (CorruptionKind.SCALE, CorruptionKind.ENTRY))), [FAIL, FAIL, FAIL]),
        (replace(record(), trials=(), sides=False), [FAIL, FAIL, FAIL]),
        (Verification(reason="crash: ended by SIGKILL", broke_off=True), [FAIL, FAIL, FAIL]),
    ],
)  # fmt: skip
def test_each_lapse_has_its_check(
    made: Verification, statuses: list[CheckStatus], view: View
) -> None:
    assert judged(view, made) == statuses


@linux_only
@pytest.mark.parametrize(
    ("made", "why"),
    [
        (Verification(reason="timeout: the time was up"), "the time was up"),
        (Verification(CheckForm.FUNCTION, True, True, reason=""), "no gradient could be found"),
        (Verification(CheckForm.FUNCTION, False, False, reason=""), "it answered otherwise"),
    ],
)  # fmt: skip
def test_what_could_not_be_put_to_the_test_is_left_to_a_person(
    made: Verification, why: str, view: View
) -> None:
    for check in REFUSAL:
        outcome = check.run(replace(view, verification=made))
        assert outcome.status is CheckStatus.MANUAL
        assert why in outcome.message


@linux_only
def test_sides_that_could_not_be_made_to_agree_are_waited_for(view: View) -> None:
    made = Verification(CheckForm.FUNCTION, False, False, equalised=True, equal=False, reason="")
    assert judged(view, made) == [SKIPPED] * 3


@linux_only
def test_the_words(view: View) -> None:
    made = replace(
        view,
        verification=record(
            b1=(CorruptionKind.SCALE, CorruptionKind.ENTRY),
            W2=(CorruptionKind.ENTRY,),
            X=(CorruptionKind.SCALE,),
        ),
    )
    said = [check.run(made).message for check in (covers, refuses, tight)]
    assert said == [
        "verify notices no error in db1: accepted times 1.01, with one entry changed.",
        "verify accepts db1 with one entry changed, dW2 with one entry changed.",
        "verify accepts dX times 1.01.",
    ]
