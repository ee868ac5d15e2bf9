"""The reference with a fault in it loses the checks that the fault reaches, and no others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grader.checks import ALL_CHECKS, View, run_checks
from grader.cohort import Engine
from grader.defects import BY_CODE, KINDS
from grader.defects.simulations import altered
from grader.diagnosis.simulate import simulated
from grader.intake import take_in
from grader.observe.verification import Verification
from grader.records import TENSORS, CheckStatus, Ended, Observation
from tests.diagnosis.test_through import ROOT

TRIALS = {"verification.covers", "verification.refuses", "verification.tight"}
REACHED = {
    "nondeterministic": ((), {"forward.repeatable"}),
    "mutates-input": (("W1",), {"forward.pure"}),
    "hidden-state": ((), {"backward.uses_cache"}),
    "mutates-cache": (("b2",), {"backward.repeatable"}),
    "grad-accumulates": (TENSORS, {"backward.repeatable", "backward.uses_cache"}),
    "torch-grad-accumulates": (TENSORS, {"pytorch.repeatable"}),
    "torch-precision-lost": ((), {"pytorch.float64"}),
    "verify-missing": ((), {"verification.exists", "verification.accepts", *TRIALS}),
    "verify-rejects-correct": ((), {"verification.accepts", *TRIALS}),
    "verify-different-inputs": (("W1",), {"verification.accepts", *TRIALS}),
    "verify-always-true": ((), TRIALS),
    "verify-partial": (("X",), {"verification.covers", "verification.refuses"}),
    "verify-loose-tolerance": (TENSORS, set[str]()),
}
"""By code: the tensors of a defect, and the checks that its simulation loses."""


@pytest.fixture(scope="module")
def seen(engine: Engine) -> View:
    """The reference, as seen, with the trials of its verification."""
    view, _ = engine._examine(take_in(ROOT / "reference"))
    return view


@pytest.fixture(scope="module")
def right(seen: View) -> View:
    """What is simulated of the reference without a fault."""
    runs = simulated(seen.observations, seen.exam.paper, (), (), ())
    return replace(
        seen,
        observations=simulated(runs, seen.exam.paper, (), (), (), "torch"),
        _memory={},
    )


def lost(view: View) -> set[str]:
    findings = run_checks(ALL_CHECKS, view)
    return {f.check for f in findings if f.status in (CheckStatus.FAIL, CheckStatus.SKIPPED)}


def test_the_reference_without_a_fault_loses_nothing(right: View) -> None:
    assert lost(right) == set()


@pytest.mark.parametrize("code", REACHED)
def test_a_fault_loses_its_checks_and_no_others(seen: View, right: View, code: str) -> None:
    simulation, (tensors, checks) = BY_CODE[code].simulation, REACHED[code]
    assert simulation is not None
    assert lost(simulation(seen, right, tensors)) == checks


def test_classes_from_labels_raise_only_where_the_last_class_is_absent(
    seen: View, right: View
) -> None:
    def raises(name: str, run: Observation) -> Observation:
        return Observation(Ended.RAISED) if name == "forward/absent" else run

    simulation = BY_CODE["class-count-from-labels"].simulation
    assert simulation is not None
    view = simulation(altered(seen, raises), right, ())
    cases = view.exam.paper.cases
    for name, case in cases.items():
        run = view.observations[f"forward/{name}"]
        if name in ("primes", "absent", "overflow", "offsets", "one_row"):
            absent = int(np.max(case.y)) + 1 < case.sizes["C"]
            assert (run.ended is Ended.RAISED) == absent, name
    assert "forward.gather" in lost(view)
    assert "forward.overflow" not in lost(view), "all classes are present there"


def test_small_errors_are_accepted_as_they_really_were(seen: View, right: View) -> None:
    simulation = BY_CODE["verify-loose-tolerance"].simulation
    loose = BY_CODE["verify-always-true"].simulation
    assert simulation is not None and loose is not None
    accepted = loose(seen, seen, ())
    assert "verification.tight" in lost(simulation(accepted, right, TENSORS))
    assert "verification.covers" not in lost(simulation(accepted, right, TENSORS))


def test_what_came_to_nothing_has_no_simulation() -> None:
    """A code that costs all that its checks are worth needs to excuse none."""
    simulated_codes = {kind.code for kind in KINDS if kind.simulation is not None}
    assert simulated_codes == {*REACHED, "class-count-from-labels"}
    assert not {"torch-inplace", "torch-graph-detached", "grad-missing"} & simulated_codes
    assert Verification().trials == ()
