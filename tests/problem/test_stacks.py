"""Stacks of layers: what the judge expects of them against code that shares no line with it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from grader.problem import StackAnswers, set_paper
from grader.problem.oracle import stacked
from grader.problem.stacks import DEEPEST, LINEAR, LOSS, RELU, Stack, make_stacks
from grader.records import Array

SEEDS = range(40, 48)
NAMES = [*make_stacks(0)]


def by_hand(stack: Stack) -> dict[str, Array]:
    """Every array of a stack, by formulas of its own; the loss is a sum of logs."""
    inputs, value, given = stack.inputs, stack.inputs["x"], {}
    seen = []
    for place, kind in enumerate(stack.kinds):
        seen.append(value)
        if kind == LINEAR:
            value = np.einsum("bi,io->bo", value, inputs[f"W{place}"]) + inputs[f"b{place}"]
        elif kind == RELU:
            value = np.where(value > 0, value, 0.0)
    given["out"] = value
    slope = inputs.get("upstream")
    if stack.kinds[-1] == LOSS:
        rows = np.arange(len(value))
        top = value.max(axis=1)
        total = top + np.log(np.exp(value - top[:, None]).sum(axis=1))
        given["loss"] = np.asarray(np.mean(total - value[rows, inputs["y"]]))
        slope = np.exp(value - total[:, None])
        slope[rows, inputs["y"]] -= 1.0
        slope = slope / len(value)
    for place in reversed(range(len(stack.kinds))):
        kind, x = stack.kinds[place], seen[place]
        if kind == LINEAR:
            given[f"dW{place}"] = np.einsum("bi,bo->io", x, slope)
            given[f"db{place}"] = np.einsum("bo->o", slope)
            slope = np.einsum("bo,io->bi", slope, inputs[f"W{place}"])
        elif kind == RELU:
            slope = np.where(x > 0, slope, 0.0)
        given[f"dx{place}"] = slope
    return given


def answers(stack: Stack) -> StackAnswers:
    return StackAnswers(stack, stacked(list(stack.kinds), dict(stack.inputs)), {})


@pytest.mark.parametrize("name", NAMES)
def test_the_oracle_agrees_with_formulas_by_hand(name: str) -> None:
    for seed in SEEDS:
        first = make_stacks(seed)[name]
        for stack in (first, first.second or first):
            found, mine = answers(stack), by_hand(stack)
            assert found.values.keys() == mine.keys()
            for array, want in found.values.items():
                scale = max(float(np.abs(want).max()), 1.0 / len(stack.inputs["x"]))
                assert want.shape == mine[array].shape
                assert float(np.abs(want - mine[array]).max()) <= found.limit() * scale, array


def test_limits_are_far_below_any_mistake() -> None:
    found = [answers(stack) for seed in SEEDS for stack in make_stacks(seed).values()]
    most = {"loss_huge": 1e-7, "single": 0.01}
    assert all(a.limit() < most.get(a.stack.name, 1e-9) for a in found)


def test_every_layer_of_every_network_has_a_gradient_to_get_wrong() -> None:
    for seed in SEEDS:
        for name in ("open", *(f"depth{n}" for n in range(1, DEEPEST + 1))):
            values = answers(make_stacks(seed)[name]).values
            assert all(np.abs(a).max() > 1e-4 for n, a in values.items()), (seed, name)


def test_the_networks_are_of_one_to_six_layers_and_of_other_widths_each_time() -> None:
    widths = set()
    for seed in SEEDS:
        stacks = make_stacks(seed)
        for depth in range(1, DEEPEST + 1):
            kinds = stacks[f"depth{depth}"].kinds
            assert (kinds.count(LINEAR), kinds.count(RELU), kinds[-1]) == (depth, depth - 1, LOSS)
        inputs = stacks[f"depth{DEEPEST}"].inputs
        widths.add(tuple(a.shape for n, a in inputs.items() if n.startswith("W")))
    assert len(widths) == len(SEEDS)


def test_one_network_is_in_float32() -> None:
    for name, stack in make_stacks(2).items():
        dtypes = {a.dtype for a in stack.inputs.values() if a.dtype.kind == "f"}
        assert dtypes == {np.dtype("f4" if name == "single" else "f8")}


def test_sizes_that_must_not_be_mistaken_differ() -> None:
    stacks = make_stacks(1)
    for name in ("linear", "relu", "loss"):
        shape = stacks[name].inputs["x"].shape
        assert len({*shape, len(stacks[name].inputs["x2"])}) == 3
    assert len({*stacks["linear"].inputs["W0"].shape, *stacks["linear"].inputs["x"].shape}) == 3
    square = stacks["linear_square"].inputs
    assert {square["W0"].shape, square["x"].shape} == {(6, 6)}


def test_no_value_is_near_the_kink_of_a_relu() -> None:
    for seed in SEEDS:
        assert float(np.abs(make_stacks(seed)["relu"].inputs["x"]).min()) >= 0.1


def test_huge_logits_are_huge_in_even_rows_only() -> None:
    logits = make_stacks(3)["loss_huge"].inputs["x"]
    assert np.abs(logits[0::2]).max(axis=1).min() > 9e3
    assert np.abs(logits[1::2]).max() < 20


def test_a_paper_travels_between_processes_with_its_stacks() -> None:
    paper = set_paper(6)
    again = pickle.loads(pickle.dumps(paper))
    assert again.stacks.keys() == paper.stacks.keys()
    assert np.array_equal(again.stacks["open"].inputs["W2"], paper.stacks["open"].inputs["W2"])
