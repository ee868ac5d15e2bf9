"""Blind trials: how they are laid out, and how what was said of them is counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from grader.child.reports import CorruptionKind, GradientSide, Refusal, SayingReport, TrialOutcome
from grader.observe.blind import (
    LEAST_WRONG,
    ONE_IN,
    RIGHT,
    BlindTrial,
    Count,
    count,
    gradients,
    plan,
)
from grader.observe.trials import Doubt, Trial
from grader.problem import set_paper
from grader.problem.oracle import expected
from grader.records import TENSORS

ALL = tuple(f"{side} {tensor}" for side in GradientSide for tensor in TENSORS)


def claim(tensor: str, kind: CorruptionKind, amount: float) -> Trial:
    return Trial("primes", kind, amount, tensor, TrialOutcome.REFUSED, Refusal.RETURN)


def claims(tensors: Sequence[str] = TENSORS) -> list[Trial]:
    kinds = (
        (CorruptionKind.SCALE, 1.01), (CorruptionKind.ENTRY, 0.37), (CorruptionKind.SCALE, -1.0),
    )  # fmt: skip
    return [claim(t, *kind) for kind in kinds for t in tensors]


def asked(
    tensors: Sequence[str] = TENSORS, *, given: bool = True, seed: int = 1
) -> list[BlindTrial]:
    return plan(claims(tensors), np.random.default_rng(seed), given=given)


def differing(trial: BlindTrial) -> list[str]:
    return [
        t
        for t in TENSORS
        if not np.array_equal(trial.arrays[f"hand {t}"], trial.arrays[f"auto {t}"])
    ]


def answers(trials: Sequence[BlindTrial], no: Callable[[BlindTrial], bool]) -> list[SayingReport]:
    return [SayingReport(booleans=(not no(trial),), placed=ALL) for trial in trials]


def counted(
    trials: Sequence[BlindTrial],
    sayings: Sequence[SayingReport],
    tensors: Sequence[str] = TENSORS,
    *,
    differences: bool = False,
) -> Count:
    return count(claims(tensors), trials, sayings, by_script=False, differences=differences)


# ── how they are laid out ────────────────────────────────────────────────────


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("tensors", [TENSORS, ("W1",), ("b1", "X")])
def test_wrong_ones_differ_in_one_gradient_and_right_ones_in_none(
    tensors: tuple[str, ...], given: bool
) -> None:
    trials = asked(tensors, given=given)
    wrong = [t for t in trials if t.wrong]
    assert len(trials) - len(wrong) == RIGHT and len(wrong) >= LEAST_WRONG
    for trial in trials:
        assert differing(trial) == ([trial.tensor] if trial.wrong else [])
        assert set(trial.arrays) == set(ALL)
    shown = {(t.tensor, t.side) for t in wrong if t.gross}
    assert shown == {(tensor, side) for tensor in tensors for side in GradientSide}


def test_no_two_trials_and_no_graded_case_have_the_same_inputs() -> None:
    seen = {t.inputs["X"].tobytes() for t in asked()}
    assert len(seen) == len(asked())
    assert seen.isdisjoint(case.X.tobytes() for case in set_paper(1).cases.values())


def test_half_of_the_right_ones_are_not_what_a_side_would_compute() -> None:
    right = [t for t in asked() if not t.wrong]
    off = [t.scaled for t in right]
    assert off.count(True) == off.count(False) == RIGHT // 2
    for trial in right:
        truth = expected(**trial.inputs)
        same = np.allclose(trial.arrays["hand W2"], truth["dW2"], rtol=1e-12)
        assert same is not trial.scaled


def test_the_reference_is_autograd_s() -> None:
    case = set_paper(2).cases["primes"]
    truth = expected(**case.inputs)
    for tensor, gradient in gradients(case).items():
        np.testing.assert_allclose(gradient, truth[f"d{tensor}"], rtol=1e-9, atol=1e-12)


def test_the_order_is_another_each_time() -> None:
    assert len({tuple(t.wrong for t in asked(seed=s)) for s in range(20)}) == 20


# ── how they are counted ─────────────────────────────────────────────────────


def test_who_compares_the_two_sides_is_believed() -> None:
    trials = asked()
    result = counted(trials, answers(trials, lambda t: t.wrong))
    assert result.doubt is Doubt.NONE
    assert not any(t.missed for t in result.trials)


@pytest.mark.parametrize("side", GradientSide)
def test_who_looks_at_one_side_only_has_noticed_nothing(side: GradientSide) -> None:
    trials = asked()
    result = counted(trials, answers(trials, lambda t: t.wrong and t.side is side))
    assert all(t.missed for t in result.trials)


def test_who_says_yes_and_no_without_a_look_is_not_believed() -> None:
    """10 000 times: the bound allows for none."""
    trials = asked()
    rng = np.random.default_rng(3)
    for _ in range(10_000):
        nays = rng.integers(2, size=len(trials))
        result = counted(trials, [SayingReport(booleans=(not n,), placed=ALL) for n in nays])
        assert result.doubt or any(t.missed for t in result.trials)


def test_the_bound_is_as_the_docstring_says() -> None:
    assert math.comb(RIGHT + LEAST_WRONG, RIGHT) == 184_756
    assert 1 / math.comb(LEAST_WRONG + RIGHT // 2 + RIGHT // 2, RIGHT // 2) < 1e-4
    assert ONE_IN >= 10_000


def test_one_that_is_never_noticed_costs_its_tensor_alone() -> None:
    trials = asked()
    result = counted(trials, answers(trials, lambda t: t.wrong and t.tensor != "b2"))
    assert {t.tensor for t in result.trials if t.missed} == {"b2"}


def test_a_percent_that_passes_costs_no_more_than_the_percent() -> None:
    trials = asked()
    result = counted(trials, answers(trials, lambda t: t.wrong and t.gross))
    assert {t.words for t in result.trials if t.missed} == {"times 1.01"}


def test_who_refuses_all_is_left_to_a_person() -> None:
    trials = asked()
    result = counted(trials, answers(trials, lambda _: True))
    assert result.doubt is Doubt.REFUSES_RIGHT and not any(t.missed for t in result.trials)


def test_who_holds_each_side_against_what_it_was_is_left_to_a_person() -> None:
    trials = asked()
    sayings = answers(trials, lambda t: t.wrong or t.scaled)
    assert counted(trials, sayings).doubt is Doubt.THIRD
    assert counted(trials, sayings, differences=True).doubt is Doubt.NONE


def test_too_few_answers_decide_nothing() -> None:
    trials = asked()
    sayings = answers(trials, lambda t: t.wrong)
    assert counted(trials, sayings[:4]).doubt is Doubt.UNFINISHED
    assert counted(trials, sayings[:-3]).doubt is Doubt.NONE


def test_a_side_that_is_not_found_is_left_to_a_person() -> None:
    trials = asked()
    hand = tuple(name for name in ALL if name.startswith("hand"))
    sayings = [SayingReport(booleans=(not t.wrong,), placed=hand) for t in trials]
    assert counted(trials, sayings).doubt is Doubt.ONE_SIDE


def test_a_number_says_no_where_it_leaves_its_range() -> None:
    trials = asked()

    def said(trial: BlindTrial, error: float) -> SayingReport:
        loss = float(trial.inputs["X"].sum())
        return SayingReport(numbers=(loss, error if trial.wrong else 1e-16), placed=ALL)

    good = counted(trials, [said(t, 1e-3) for t in trials])
    assert good.doubt is Doubt.NONE and not any(t.missed for t in good.trials)
    bad = counted(trials, [said(t, 1e-16) for t in trials])
    assert all(t.missed for t in bad.trials)


def test_a_comparison_says_no_where_it_turns_out_as_it_never_does_on_equals() -> None:
    trials = asked()
    sayings = [
        SayingReport(true=(3, 7), false=(7,) if not t.wrong else (3, 7), placed=ALL) for t in trials
    ]
    result = counted(trials, sayings)
    assert result.doubt is Doubt.NONE and not any(t.missed for t in result.trials)
