"""The limits hold a right program with room to spare, and no wrong one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from grader.problem.cases import EDGE, ORDINARY, make_cases
from grader.problem.compare import (
    FACTORS,
    FINITE_DIFFERENCE,
    STEP,
    central_error,
    close,
    error,
    errors,
    factor_value,
    in_single,
    limit,
    natural_size,
    proportion,
    repeated,
)
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
        size = max(np.abs(e[name]).max(), e.natural_size(name))
        wrong = e[name] + 1e-8 * size
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
    assert by_name["primes"].limit() < by_name["realistic"].limit()
    double = np.dtype(np.float64)
    assert limit(30, 5.0, double) < limit(60, 5.0, double)
    assert limit(30, 5.0, double) < limit(30, 500.0, double)
    assert limit(30, 5.0, double) < limit(30, 5.0, SINGLE)


def test_an_error_is_measured_against_the_largest_entry_or_the_natural_size() -> None:
    one = np.ones((2, 2))
    assert error(one * -7.0, one * -8.0) == 1 / 8
    assert error(one, 0 * one, natural_size("dW1", 5)) == 5.0
    assert error(np.array(1.0), np.array(0.0), natural_size("loss", 5)) == 5.0
    assert error(one, 0 * one, natural_size("Z2", 5)) == 1.0
    assert error(np.empty((0, 2)), np.empty((0, 2))) == 0.0
    assert errors(np.array([1.0, np.nan]), np.array([2.0, 4.0])).tolist()[0] == 0.25
    assert np.isnan(error(np.array([1.0, np.nan]), np.array([2.0, 4.0])))


def test_a_tiny_loss_of_a_right_program_is_within_the_limit() -> None:
    """What is absolute in the error of a loss near 0 is left room for, at every batch size."""
    from grader.problem import oracle

    for seed in SEEDS:
        for name in ("primes", "more_rows"):
            case = make_cases(seed)[name]
            Z2 = network.logits(case.X, case.W1, case.b1, case.W2, case.b2)[1]
            second, first = np.sort(Z2, axis=1)[:, -2:].T
            surely = 20.0 / (first - second).min()  # so each p_y is 1 but for 1e-9
            sure = replace(case, y=Z2.argmax(axis=1), W2=case.W2 * surely, b2=case.b2 * surely)
            expected = Expected(sure, oracle.expected(**sure.inputs))
            assert expected["loss"] < 1e-8
            got = network.loss(**sure.inputs)
            assert expected.error("loss", np.asarray(got)) <= expected.limit() / SPARE


def test_a_proportion_is_found_to_six_digits() -> None:
    want = np.array([1.0, -2.0, 3.0])
    assert proportion(-3 * want, want) == pytest.approx(-3)
    assert proportion(want + np.array([0, 0, 1e-5]), want) is None
    assert proportion(0 * want, want) is None
    assert proportion(want, 0 * want) is None
    assert proportion(want[:2], want) is None


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


def test_an_array_in_single_is_known_by_its_values() -> None:
    rounded = np.array([0.1, 0.2], np.float32)
    assert in_single(rounded) and in_single(rounded.astype(np.float64))
    assert not in_single(np.array([0.1, 0.2]))
    assert not in_single(np.zeros(3))  # which tells nothing
    assert in_single(np.array([0.5, np.nan]))


def test_a_second_call_may_differ_in_a_last_bit() -> None:
    first = np.array([1.0, 1e-9])
    assert repeated(first, first * (1 + 2e-16))
    assert repeated(first * np.nan, first * np.nan)
    assert not repeated(first, first * (1 + 1e-11))
    assert not repeated(first, first[:, None])


def test_closeness_looks_past_axes_and_not_past_sizes() -> None:
    want = np.array([[1.0, 2.0]])
    assert close(want.ravel(), want, 1e-9)
    assert not close(want * (1 + 1e-8), want, 1e-9)
    assert not close(want[:, :1], want, 1e-9)


def test_the_best_step_balances_truncation_and_rounding() -> None:
    eps = float(np.finfo(np.float64).eps)
    best = central_error(STEP, eps)
    assert best < FINITE_DIFFERENCE / 1000
    assert best < central_error(10 * STEP, eps)
    assert best < central_error(STEP / 10, eps)


@pytest.mark.parametrize("factor", FACTORS)
def test_factors_are_told_apart_at_distinct_sizes(factor: str) -> None:
    sizes = {"B": 5, "C": 3}
    values = [factor_value(name, sizes) for name in FACTORS]
    assert values.count(factor_value(factor, sizes)) == 1
