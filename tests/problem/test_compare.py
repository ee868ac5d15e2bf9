"""The limits hold a right program with room to spare, and no wrong one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grader.problem.cases import EDGE, ORDINARY, make_cases
from grader.problem.compare import FINITE_DIFFERENCE, STEP, limit, scale
from grader.problem.exam import Expected
from grader.records import TENSORS, Case
from tests.problem import network

SEEDS = range(20)
SPARE = 4.0
SINGLE = np.dtype(np.float32)
SHOWN = ("loss", *(f"d{t}" for t in TENSORS))


@pytest.fixture(scope="module")
def exams() -> list[Expected]:
    """The oracle's answers to every case of every seed."""
    from grader.problem import oracle

    cases = [case for seed in SEEDS for case in make_cases(seed).values()]
    return [Expected(case, oracle.expected(**case.inputs)) for case in cases]


def single(case: Case) -> Case:
    """`case` in float32."""
    rounded = {t: case.inputs[t].astype(np.float32) for t in TENSORS}
    return replace(case, **rounded)


def largest_share(expected: Expected, dtype: np.dtype[np.floating]) -> float:
    """The largest error of a right program as a share of the limit."""
    got = network.answers(**expected.case.inputs)
    assert all(got[n].dtype == dtype for n in SHOWN)
    errors = {n: expected.error(n, got[n]) for n in expected.values}
    return max(errors.values()) / expected.limit(dtype)


def test_a_right_float64_program_has_room_to_spare(exams: list[Expected]) -> None:
    double = np.dtype(np.float64)
    shares = {e.case.name: largest_share(e, double) for e in exams if e.case.X.dtype == np.float64}
    assert max(shares.values()) <= 1 / SPARE, shares


def test_a_right_float32_program_has_room_to_spare(exams: list[Expected]) -> None:
    from grader.problem import oracle

    for e in exams:
        if e.case.name not in (*ORDINARY, *EDGE, "float32"):
            continue
        case = single(e.case)
        expected = Expected(case, oracle.expected(**case.inputs))
        assert largest_share(expected, SINGLE) <= 1 / SPARE, case.name


def test_a_relative_error_of_1e_8_in_float64_is_seen_everywhere(exams: list[Expected]) -> None:
    for e in exams:
        if e.case.X.dtype == np.float64:
            assert e.limit() < 1e-8, e.case.name


@pytest.mark.parametrize("name", SHOWN)
def test_an_answer_off_by_1e_8_of_its_size_is_refused(exams: list[Expected], name: str) -> None:
    for e in exams:
        if e.case.name not in ORDINARY:
            continue
        wrong = e[name] + 1e-8 * scale(name, e[name], e.case)
        assert not e.error(name, np.asarray(wrong)) <= e.limit()


def test_float32_answers_are_told_from_float64_ones(exams: list[Expected]) -> None:
    """A program that computes in float32 inside cannot pass as one in float64."""
    for e in exams:
        if e.case.name in ORDINARY:
            got = network.answers(**single(e.case).inputs)
            assert not e.error("dW1", got["dW1"]) <= e.limit()


def test_a_limit_in_float32_still_shows_every_real_mistake(exams: list[Expected]) -> None:
    assert all(e.limit() < 1e-2 for e in exams if e.case.name == "float32")


def test_the_limit_grows_with_the_sums_and_the_logits(exams: list[Expected]) -> None:
    by_name = {e.case.name: e for e in exams[: len(exams) // len(SEEDS)]}
    small, large = by_name["primes"], by_name["realistic"]
    assert limit(small.case, small["Z2"]) < limit(large.case, small["Z2"])
    assert limit(small.case, small["Z2"]) < limit(small.case, 100 * small["Z2"])
    assert limit(small.case, small["Z2"]) < limit(small.case, small["Z2"], SINGLE)


def test_scale_is_the_largest_entry_or_the_natural_size(exams: list[Expected]) -> None:
    case = exams[0].case
    assert scale("dW1", np.full((2, 2), -8.0), case) == 8.0
    assert scale("dW1", np.zeros((2, 2)), case) == 1 / case.sizes["B"]
    assert scale("loss", np.array(1e-9), case) == 1.0
    assert scale("dW1", np.empty((0, 2)), case) == 1 / case.sizes["B"]


def test_central_differences_of_a_right_program_are_far_below_their_limit() -> None:
    for seed in SEEDS:
        case = make_cases(seed)["primes"]
        rng = np.random.default_rng(seed)
        answers = network.answers(**case.inputs)
        for tensor in TENSORS:
            direction = rng.normal(size=case.inputs[tensor].shape)
            up, down = (
                network.loss(**(case.inputs | {tensor: case.inputs[tensor] + s * direction}))
                for s in (STEP, -STEP)
            )
            slope = float((answers[f"d{tensor}"] * direction).sum())
            error = abs((up - down) / (2 * STEP) - slope) / max(1.0, abs(slope))
            assert error <= FINITE_DIFFERENCE / SPARE
