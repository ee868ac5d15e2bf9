"""A lost check is explained by the faults that lose it, and by no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checks import ALL_CHECKS, Seen, run_checks
from grader.cohort import Engine
from grader.diagnosis.found import Explanation, Found
from grader.diagnosis.simulate import simulated
from grader.diagnosis.through import through_faults
from grader.intake import take_in
from grader.problem.faults import DZ1_ROWS, FORWARD_ROWS, LEAF_ROWS
from grader.records import CheckStatus, Observations
from tests.diagnosis.planted import row

ROOT = Path(__file__).parents[2]

MASK = Found(row(DZ1_ROWS, "relu-mask-missing"), ("W1", "b1", "X"))
SIGN = Found(row(FORWARD_ROWS, "loss-sign"))
KEEPS = Found(row(LEAF_ROWS["b2"], "bias-grad-keepdims"), ("b2",))


@pytest.fixture(scope="module")
def seen(engine: Engine) -> Seen:
    """The reference, as seen."""
    observations = engine.grade(take_in(ROOT / "reference")).observations
    return Seen(engine.exam(), observations)


def lost(seen: Seen, *found: Found, missing: tuple[str, ...] = ()) -> set[str]:
    """The checks that a reference with these faults loses, by running all of them."""
    observations = simulated(seen.observations, seen.exam.paper, found, (), missing)
    outcome = run_checks(ALL_CHECKS, Seen(seen.exam, observations))
    bad = (CheckStatus.FAIL, CheckStatus.SKIPPED)
    return {f.check for f in outcome if f.status in bad and f.check.startswith(("fo", "ba"))}


def test_a_check_is_explained_by_the_fault_that_loses_it(seen: Seen) -> None:
    explanation = Explanation((SIGN,), (MASK, KEEPS))
    codes = through_faults(seen, explanation, (), lost(seen, SIGN, MASK, KEEPS))
    assert codes["forward.loss"] == ["loss-sign"]
    assert codes["backward.dW1"] == ["relu-mask-missing"]
    assert codes["backward.db2_shape"] == ["bias-grad-keepdims"]


def test_a_check_lost_for_another_reason_is_not_explained(seen: Seen) -> None:
    also = {"forward.pure", "backward.repeatable", "backward.dW2"}
    codes = through_faults(seen, Explanation((), (MASK,)), (), {"backward.dW1", *also})
    assert codes == {"backward.dW1": ["relu-mask-missing"]}


def test_a_missing_gradient_explains_its_own_checks(seen: Seen) -> None:
    codes = through_faults(
        seen, Explanation((), (MASK,)), ("b2",), lost(seen, MASK, missing=("b2",))
    )
    assert codes["backward.db2"] == ["grad-missing"]
    assert codes["backward.dX"] == ["relu-mask-missing"]


def test_nothing_is_computed_that_no_check_asks_for(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = set[str]()
    plain = Observations.__getitem__

    def noting(self: Observations, step: str):
        asked.add(step)
        return plain(self, step)

    monkeypatch.setattr(Observations, "__getitem__", noting)
    codes = through_faults(seen, Explanation((), (MASK,)), (), {"backward.db1"})
    assert codes == {"backward.db1": ["relu-mask-missing"]}
    assert asked == {
        *("forward/primes", "backward/primes", "backward/more_rows", "backward/square"),
    }


def test_a_simulated_submission_without_faults_loses_no_check_of_numbers(seen: Seen) -> None:
    assert lost(seen) <= {"forward.cache", "forward.shapes"}
