"""What is made of how a verification took spoiled gradients, and of not knowing it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.checks.trials import TRIALS, covers, refuses, tight
from grader.child.reports import CheckForm, CorruptionKind
from grader.observe.verification_record import Verification
from grader.records import TENSORS, CheckStatus, Ended
from tests.checks.simulation import ends, fails, finding, left_open, put, simulated, strict, waits

PASS, FAIL, SKIPPED = CheckStatus.PASS, CheckStatus.FAIL, CheckStatus.SKIPPED
BOTH = (CorruptionKind.SCALE, CorruptionKind.ENTRY)


def statuses_with(verification: Verification) -> list[CheckStatus]:
    """Return the statuses of covers, refuses and tight."""
    view = simulated(verification=verification)
    return [check.run(view).status for check in TRIALS]


def test_covers() -> None:
    fails(covers, verification=strict(b1=BOTH), says="notices no error in db1: accepted times 1.01")
    waits(covers, ends("torch/", Ended.RAISED))


def test_refuses() -> None:
    fails(
        refuses, verification=strict(W2=(CorruptionKind.ENTRY,)), says="dW2 with one entry changed"
    )
    wrong = replace(strict(), equalised=True, equal=False)
    waits(refuses, put("backward/", "W1", lambda dW1: 2 * dW1), verification=wrong)


def test_tight() -> None:
    fails(tight, verification=strict(X=(CorruptionKind.SCALE,)), says="accepts dX times 1.01")
    left_open(tight, verification=Verification(reason="timeout: the time was up"))


@pytest.mark.parametrize(
    ("made", "statuses"),
    [
        (strict(), [PASS, PASS, PASS]),
        (strict(b1=BOTH), [FAIL, FAIL, PASS]),
        (strict(W1=(CorruptionKind.SCALE,), X=(CorruptionKind.SCALE,)), [PASS, PASS, FAIL]),
        (strict(W2=(CorruptionKind.ENTRY,)), [PASS, FAIL, PASS]),
        (strict(**dict.fromkeys(TENSORS, BOTH)), [FAIL, FAIL, FAIL]),
        (replace(strict(), trials=(), sides=False), [FAIL, FAIL, FAIL]),
        (Verification(reason="crash: ended by SIGKILL", broke_off=True), [FAIL, FAIL, FAIL]),
        (replace(strict(), changed=("grader.child.trials",)), [FAIL, FAIL, FAIL]),
        (Verification(reason="timeout: the time was up", reaches=True), [FAIL, FAIL, FAIL]),
        (replace(strict(), reaches=True), [PASS, PASS, PASS]),
    ],
)  # fmt: skip
def test_each_lapse_has_its_check(made: Verification, statuses: list[CheckStatus]) -> None:
    assert statuses_with(made) == statuses


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (Verification(reason="timeout: the time was up"), "the time was up"),
        (Verification(CheckForm.FUNCTION, True, True, reason=""), "no gradient could be found"),
        (Verification(CheckForm.FUNCTION, False, False, reason=""), "it answered otherwise"),
    ],
)  # fmt: skip
def test_what_could_not_be_put_to_the_test_is_left_to_a_person(
    made: Verification, why: str
) -> None:
    for check in TRIALS:
        outcome = finding(check, verification=made)
        assert outcome.status is CheckStatus.MANUAL
        assert why in outcome.message


def test_sides_that_could_not_be_made_to_agree_are_waited_for() -> None:
    made = Verification(CheckForm.FUNCTION, False, False, equalised=True, equal=False, reason="")
    assert statuses_with(made) == [SKIPPED] * 3


def test_the_words() -> None:
    made = strict(b1=BOTH, W2=(CorruptionKind.ENTRY,), X=(CorruptionKind.SCALE,))
    said = [finding(check, verification=made).message for check in (covers, refuses, tight)]
    assert said == [
        "verify notices no error in db1: accepted times 1.01, with one entry changed.",
        "verify accepts db1 with one entry changed, dW2 with one entry changed.",
        "verify accepts dX times 1.01.",
    ]
