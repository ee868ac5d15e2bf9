"""The steps: every name once, every backward after its forward, no order to rely on."""

from __future__ import annotations

import numpy as np
import pytest

from grader.child.engine import SCALE, WEIGHTS
from grader.observe.plan import (
    NUMPY_CASES,
    REWEIGHTED,
    SCALED,
    SCALES,
    TIMED_REPEATS,
    Step,
    numpy_steps,
    timing_steps,
    torch_steps,
)
from grader.problem import set_paper
from grader.problem.compare import STEP
from grader.records import TENSORS

PAPERS = [set_paper(seed) for seed in range(12)]


def all_steps() -> list[list[Step]]:
    return [plan(paper) for paper in PAPERS for plan in (numpy_steps, torch_steps, timing_steps)]


def test_every_step_has_a_name_of_its_own_on_both_sides() -> None:
    for paper in PAPERS:
        names = [s.name for s in (*numpy_steps(paper), *torch_steps(paper))]
        assert len(set(names)) == len(names)


def test_every_backward_comes_after_a_forward_on_the_same_case() -> None:
    for steps in all_steps():
        cases: dict[str, str] = {}
        for step in steps:
            if step.kind == "forward":
                assert step.handle not in cases, "a cache would be overwritten"
                cases[step.handle] = step.case.name
            elif step.kind == "backward":
                assert cases[step.handle] == step.case.name, step.name


def test_primes_comes_first_and_every_case_is_asked_both_ways() -> None:
    for paper in PAPERS:
        names = [s.name for s in numpy_steps(paper)]
        assert names[:2] == ["forward/primes", "backward/primes"]
        assert {f"{k}/{c}" for k in ("forward", "backward") for c in NUMPY_CASES} <= set(names)


def test_the_order_is_the_seeds_and_differs_between_seeds() -> None:
    orders = [tuple(s.name for s in numpy_steps(paper)) for paper in PAPERS]
    assert len(set(orders)) == len(orders)
    assert orders[3] == tuple(s.name for s in numpy_steps(set_paper(3)))


def test_two_forwards_lie_between_a_cache_and_its_use() -> None:
    """A backward that keeps its state in the module, and not in the cache, is found by it."""
    names = [s.name for s in numpy_steps(PAPERS[0])]
    wanted = ["forward/first", "forward/second", "backward/first", "backward/second"]
    at = names.index(wanted[0])
    assert names[at : at + 4] == wanted


@pytest.mark.parametrize("tensor", TENSORS)
def test_central_differences_come_in_pairs_on_both_sides_of_primes(tensor: str) -> None:
    paper = PAPERS[1]
    steps = {s.name: s.case.inputs for s in numpy_steps(paper)}
    plus, minus = (steps[f"difference/{tensor}/{sign}"] for sign in ("plus", "minus"))
    primes = paper.cases["primes"].inputs
    np.testing.assert_allclose((plus[tensor] + minus[tensor]) / 2, primes[tensor], atol=1e-15)
    np.testing.assert_allclose(
        (plus[tensor] - minus[tensor]) / (2 * STEP), paper.directions[tensor], atol=1e-9
    )
    assert all(np.array_equal(plus[n], primes[n]) for n in primes if n != tensor)


def test_the_reference_is_timed_on_the_submissions_own_case() -> None:
    timed = [s.name for s in timing_steps(PAPERS[0])]
    asked = [s.name for s in numpy_steps(PAPERS[0]) if "realistic" in s.name]
    assert len(asked) == 2 * TIMED_REPEATS
    assert set(asked) <= set(timed)


def test_the_torch_side_ends_with_the_engine_altered_by_secrets_of_the_paper() -> None:
    secrets = set()
    for paper in PAPERS:
        steps = torch_steps(paper)
        altered = [step for step in steps if step.engine]
        assert [s.name for s in altered] == [SCALED, REWEIGHTED] == [s.name for s in steps[-2:]]
        assert all(step.alone for step in altered)
        assert SCALES[0] <= float(altered[0].items[SCALE]) <= SCALES[1]
        secrets.add((altered[0].items[SCALE], altered[1].items[WEIGHTS]))
    assert len(secrets) == len(PAPERS)
