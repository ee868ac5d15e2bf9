"""The checks of `verify` on the candidate's own two sides, right and spoiled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from grader.checks.verification import accepts, exists
from grader.child.reports import CheckForm, Refusal
from grader.records import Ended, FunctionOutline, Mismatch, Observation
from tests.checks.simulation import ends, fails, passes, put, strict, waits

NO = put("verify/", "accepted", lambda _: np.bool_(False))
APART = put("torch/", "W1", lambda dW1: 1.5 * dW1)
MISSING = ends("verify/", Ended.MISSING)
SCRIPT = replace(strict(), form=CheckForm.SCRIPT)


def test_exists() -> None:
    fails(exists, MISSING, says="No function verify")
    fails(exists, functions=(FunctionOutline("verify", 9, True),), says="verify is a stub")
    fails(exists, loaded=Observation(Ended.RAISED, error="ImportError: jax"), says="ImportError")
    passes(exists, MISSING, verification=SCRIPT)


def test_accepts() -> None:
    made = fails(accepts, NO, says="got no; expected yes: the two sides agree")
    assert {e.mismatch for e in made.bad} == {Mismatch.REFUSED}
    made = fails(accepts, APART, says="got yes; expected no")
    assert {e.mismatch for e in made.bad} == {Mismatch.ACCEPTED}
    passes(accepts, APART, NO)
    fails(accepts, ends("verify/", Ended.RAISED), says="verify: raised")
    waits(accepts, ends("torch/", Ended.RAISED))


def test_accepts_either_word_on_sides_that_differ_slightly() -> None:
    near = put("torch/", "W1", lambda dW1: dW1 * (1 + 1e-6))
    passes(accepts, near)
    passes(accepts, near, NO)


def test_accepts_a_no_in_other_words() -> None:
    prints = replace(strict(), accepts_as_is=False, by_as_is=Refusal.PRINT)
    passes(accepts, APART, verification=prints)


def test_accepts_of_a_script() -> None:
    passes(accepts, MISSING, verification=SCRIPT)
    fails(accepts, MISSING, verification=replace(SCRIPT, accepts=False), says="the script")
    fails(accepts, MISSING, verification=replace(SCRIPT, equalised=True, accepts_as_is=True))
