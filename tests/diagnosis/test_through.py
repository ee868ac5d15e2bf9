"""A lost check is explained by the faults that lose it, and by no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checks import ALL_CHECKS, View, run_checks
from grader.cohort import Engine
from grader.defects.explanation import Account, Culprit, Explanation
from grader.defects.table import DZ1_ROWS, FORWARD_ROWS, LEAF_ROWS
from grader.diagnosis.passes import free_tops
from grader.diagnosis.simulate import simulated
from grader.diagnosis.through import through_faults
from grader.intake import take_in
from grader.records import CheckStatus, Finding, Observations
from tests.diagnosis.planted import row

ROOT = Path(__file__).parents[2]

MASK = Culprit(row(DZ1_ROWS, "relu-mask-missing"), ("W1", "b1", "X"))
SIGN = Culprit(row(FORWARD_ROWS, "loss-sign"))
SUM = Culprit(row(FORWARD_ROWS, "loss-sum-not-mean"))
OWN = next(f for faults in free_tops((SUM.fault,)) for f in faults)
TWICE = Culprit(row(DZ1_ROWS, "grad-double-batch-mean"), ("W1", "b1", "X"))
SIGN_W1 = Culprit(row(LEAF_ROWS["W1"], "grad-sign"), ("W1",))
SIGN_X = Culprit(row(LEAF_ROWS["X"], "grad-sign"), ("X",))
KEEPS = Culprit(row(LEAF_ROWS["b2"], "bias-grad-keepdims"), ("b2",))


@pytest.fixture(scope="module")
def view(engine: Engine) -> View:
    """The reference, as seen."""
    observations = engine.grade(take_in(ROOT / "reference")).observations
    return View(engine.exam(), observations)


def lost(
    view: View, *found: Culprit, missing: tuple[str, ...] = (), prefix: str = "backward"
) -> dict[str, Finding]:
    """The checks that a reference with these faults loses, by running all of them."""
    observations = simulated(view.observations, view.exam.paper, found, (), missing, prefix)
    outcome = run_checks(ALL_CHECKS, View(view.exam, observations))
    bad = (CheckStatus.FAIL, CheckStatus.SKIPPED)
    kinds = ("fo", "ba") if prefix == "backward" else ("py",)
    return {f.check: f for f in outcome if f.status in bad and f.check.startswith(kinds)}


def failed(*checks: str) -> dict[str, Finding]:
    return {c: Finding(c, CheckStatus.FAIL, "Lost.") for c in checks}


def part(*backward: Culprit, missing: tuple[str, ...] = (), left: tuple[str, ...] = ()) -> Account:
    return Account("backward", Explanation((), backward, left), missing)


def test_a_check_is_explained_by_the_fault_that_loses_it(view: View) -> None:
    both = Account("backward", Explanation((SIGN,), (MASK, KEEPS)), ())
    codes = through_faults(view, both, lost(view, SIGN, MASK, KEEPS))
    assert codes["forward.loss"] == ["loss-sign"]
    assert codes["backward.dW1"] == ["relu-mask-missing"]
    assert codes["backward.db2_shape"] == ["bias-grad-keepdims"]


def test_a_check_lost_for_another_reason_is_not_explained(view: View) -> None:
    also = ("forward.pure", "forward.cache", "backward.repeatable", "backward.dW2")
    really = {"backward.dW1": lost(view, MASK)["backward.dW1"]}
    codes = through_faults(view, part(MASK), really | failed(*also))
    assert codes == {"backward.dW1": ["relu-mask-missing"]}


def test_a_missing_gradient_explains_its_own_checks(view: View) -> None:
    missing = ("b2",)
    codes = through_faults(view, part(MASK, missing=missing), lost(view, MASK, missing=missing))
    assert codes["backward.db2"] == ["grad-missing"]
    assert codes["backward.dX"] == ["relu-mask-missing"]


def test_what_is_not_explained_besides_keeps_its_own_checks(view: View) -> None:
    """A fault of dZ1 is borne out by dW1 and db1, though dX is wrong in some other way too."""
    seen_lost = lost(view, TWICE)
    codes = through_faults(view, part(TWICE, left=("X",)), seen_lost)
    assert codes["backward.dW1"] == codes["backward.db1"] == ["grad-double-batch-mean"]
    assert "backward.dX" not in codes and "backward.own_loss" not in codes
    only_W1 = {"backward.dX": lost(view, SIGN_X)["backward.dX"]}
    assert through_faults(view, part(SIGN_W1, left=("X",)), only_W1) == {}


def test_the_pytorch_part_has_its_own_checks_and_codes(view: View) -> None:
    explanation = Explanation((SUM,), (), free=(OWN,))
    codes = through_faults(view, Account("torch", explanation, ()), lost(view, SUM, prefix="torch"))
    assert codes["pytorch.loss"] == codes["pytorch.mean"] == ["torch-reduction-sum"]


def test_nothing_is_computed_that_no_check_asks_for(
    view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = {"backward.db1": lost(view, MASK)["backward.db1"]}
    asked = set[str]()
    plain = Observations.__getitem__

    def noting(self: Observations, step: str):
        asked.add(step)
        return plain(self, step)

    monkeypatch.setattr(Observations, "__getitem__", noting)
    codes = through_faults(view, part(MASK), really)
    assert codes == {"backward.db1": ["relu-mask-missing"]}
    assert asked == {
        *("forward/primes", "backward/primes", "backward/more_rows", "backward/square"),
    }


def test_a_simulated_submission_without_faults_loses_no_check_of_numbers(view: View) -> None:
    assert set(lost(view)) <= {"forward.cache", "forward.shapes"}
