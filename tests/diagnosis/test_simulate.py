"""The reference with faults in it, on every step: numbers are computed, all else is as seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grader.defects.explanation import Culprit
from grader.defects.table import DZ1_ROWS, FORWARD_ROWS, LEAF_ROWS
from grader.diagnosis.simulate import flow_of, simulated
from grader.problem.network import Fault
from grader.records import TENSORS, Ended, Observation, Observations, ProcessReport
from tests.checks.simulation import PAPER, right_runs
from tests.diagnosis.planted import row

CASE = PAPER.cases["primes"]
SIGN = Culprit(row(FORWARD_ROWS, "loss-sign"))
MASK = Culprit(row(DZ1_ROWS, "relu-mask-missing"), ("W1", "b1", "X"))
SIGN_W2 = Culprit(row(LEAF_ROWS["W2"], "grad-sign"), ("W2",))
RIGHT = right_runs()
NOT_LOADED = ProcessReport(Observation(Ended.RAISED, error="ImportError"))
SEEN = Observations(NOT_LOADED, NOT_LOADED, RIGHT)


def shapes(_flow: object) -> np.ndarray:
    raise ValueError("shapes")


RAISES = Culprit(Fault("Z2", "raises", shapes, code="runtime-error"))


def made(*found: Culprit, missing: tuple[str, ...] = (), prefix: str = "backward") -> Observations:
    return simulated(SEEN, PAPER, found, (), missing, prefix)


@pytest.mark.parametrize("prefix", ["backward", "torch"])
def test_without_faults_the_numbers_are_the_right_ones(prefix: str) -> None:
    run, right = made(prefix=prefix)[f"{prefix}/primes"], RIGHT[f"{prefix}/primes"]
    assert run.ok
    for tensor in TENSORS:
        np.testing.assert_allclose(run.arrays[tensor], right.arrays[tensor], atol=1e-12)


def test_a_fault_of_the_loss_shows_in_each_forward() -> None:
    runs = made(SIGN)
    for case in ("primes", "more_rows", "square"):
        got, right = runs[f"forward/{case}"], RIGHT[f"forward/{case}"]
        np.testing.assert_allclose(got.arrays["loss"], -right.arrays["loss"])
        assert got.arrays["after_X"] is PAPER.cases[case].X


def test_a_fault_of_the_backward_shows_in_its_tensors_only() -> None:
    run, right = made(SIGN_W2)["backward/primes"], RIGHT["backward/primes"]
    np.testing.assert_allclose(run.arrays["W2"], -right.arrays["W2"])
    np.testing.assert_allclose(run.arrays["W1"], right.arrays["W1"], atol=1e-12)
    masked = made(MASK)["backward/primes"].arrays
    wrong = [t for t in TENSORS if not np.allclose(masked[t], right.arrays[t])]
    assert wrong == ["W1", "b1", "X"]


def test_gradients_that_are_missing_do_not_come_back() -> None:
    run = made(missing=("b2",))["backward/primes"]
    assert [*run.arrays] == [t for t in run.arrays if t != "b2"]
    assert {*run.arrays} == {*TENSORS} - {"b2"}
    assert run.problems == {"b2": "not returned"}


def test_a_fault_that_raises_leaves_no_cache_to_go_on_from() -> None:
    runs = made(RAISES)
    assert runs["forward/primes"].ended is Ended.RAISED
    assert runs["backward/primes"].ended is Ended.NOT_RUN
    assert made(RAISES, prefix="torch")["torch/primes"].ended is Ended.RAISED


def test_the_part_is_loaded_and_the_other_is_as_seen() -> None:
    ours, theirs = made(SIGN), made(SIGN, prefix="torch")
    assert (ours.numpy.loaded.ok, ours.torch.loaded.ok) == (True, False)
    assert (theirs.numpy.loaded.ok, theirs.torch.loaded.ok) == (False, True)
    assert ours["torch/primes"] is RIGHT["torch/primes"]
    assert theirs["forward/primes"] is RIGHT["forward/primes"]


def test_what_is_no_number_is_as_seen() -> None:
    kept = {"cache0": np.ones(3)}
    seen = replace(RIGHT["forward/primes"], arrays=kept, paths=("cache[0]",))
    runs = {**RIGHT, "forward/primes": seen}
    run = simulated(replace(SEEN, runs=runs), PAPER, [SIGN], (), ())["forward/primes"]
    assert run.arrays["cache0"] is kept["cache0"]
    assert run.paths == ("cache[0]",)
    assert "cache1" not in run.arrays
    verifying = [n for n in RIGHT if n.startswith("verify/")]
    assert verifying
    assert all(made(SIGN)[n] is RIGHT[n] for n in verifying)


def test_a_time_is_that_seen() -> None:
    timed = [n for n in made().runs if "/realistic/" in n]
    assert timed
    seen = {**RIGHT, **{n: replace(RIGHT[n], cpu_seconds=7.0) for n in timed if n in RIGHT}}
    runs = simulated(replace(SEEN, runs=seen), PAPER, [SIGN], (), ()).runs
    ours = [n for n in timed if n.partition("/")[0] in ("forward", "backward")]
    assert {runs[n].cpu_seconds for n in ours} == {7.0}


def test_gradients_have_the_dtype_of_their_case() -> None:
    single = next(n for n, c in PAPER.cases.items()
                  if c.X.dtype == np.float32 and f"backward/{n}" in RIGHT)  # fmt: skip
    run = made()[f"backward/{single}"]
    assert {a.dtype for a in run.arrays.values()} == {np.dtype(np.float32)}


def test_each_step_is_computed_once_and_all_are_listed() -> None:
    runs = made(SIGN).runs
    assert runs["forward/primes"] is runs["forward/primes"]
    assert {*RIGHT} <= {*runs}
    assert len(runs) == len([*runs])


# ── one flow ─────────────────────────────────────────────────────────────────


def test_the_flow_of_a_case() -> None:
    right, wrong = flow_of(CASE, ()), flow_of(CASE, [SIGN])
    assert right is not None and wrong is not None
    np.testing.assert_allclose(right["loss"], RIGHT["forward/primes"].arrays["loss"])
    np.testing.assert_allclose(wrong["loss"], -right["loss"])
    assert flow_of(CASE, [RAISES]) is None


def test_a_family_has_its_amount() -> None:
    extra = next(r for r in FORWARD_ROWS if r.code == "loss-extra-term" and r.direction)
    flows = [flow_of(CASE, [Culprit(extra, (), amount)]) for amount in (0.0, 0.5, 1.0)]
    losses = [float(flow["loss"]) for flow in flows if flow is not None]
    assert losses[0] != losses[1]
    assert losses[2] - losses[1] == pytest.approx(losses[1] - losses[0])
