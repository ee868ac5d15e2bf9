"""The oracle against what it does not share a line with: central differences, and NumPy."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from grader.observe.oracle import SOURCE
from grader.problem.cases import EDGE, HUGE, LABEL_TYPES, ORDINARY, make_cases
from grader.problem.compare import STEP
from grader.records import TENSORS, Array, Case
from tests.problem import network

SEED = 20
SMOOTH = (*ORDINARY, "duplicated", *EDGE, *LABEL_TYPES)
CASES = make_cases(SEED)
NAMES = {"Z1", "H1", "Z2", "P", "logP", "loss", "dZ2", "dH1", "dZ1", *(f"d{t}" for t in TENSORS)}


def expected(case: Case) -> Mapping[str, Array]:
    from grader.problem import oracle

    return oracle.expected(**case.inputs)


def central_differences(case: Case, tensor: str) -> Array:
    """dloss/dtensor entry by entry, in float64."""
    value = case.inputs[tensor]
    slopes = np.empty(value.size)
    for index in range(value.size):
        ends = []
        for sign in (1, -1):
            moved = value.copy()
            moved.flat[index] += sign * STEP
            ends.append(float(network.loss(**(case.inputs | {tensor: moved}))))
        slopes[index] = (ends[0] - ends[1]) / (2 * STEP)
    return slopes.reshape(value.shape)


@pytest.mark.parametrize("tensor", TENSORS)
@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_are_those_of_central_differences(name: str, tensor: str) -> None:
    case = CASES[name]
    got = expected(case)[f"d{tensor}"]
    numeric = central_differences(case, tensor)
    assert got.shape == numeric.shape
    assert np.abs(got - numeric).max() <= 1e-8


@pytest.mark.parametrize("name", [*SMOOTH, *HUGE, "zeros", "float32", "realistic"])
def test_values_are_those_of_a_hand_written_float64_network(name: str) -> None:
    case = CASES[name]
    inputs = {n: a if n == "y" else a.astype(np.float64) for n, a in case.inputs.items()}
    by_hand, got = network.answers(**inputs), expected(case)
    assert set(got) == NAMES
    for value_name, value in got.items():
        size = max(1e-3, float(np.abs(value).max()))
        assert np.abs(value - by_hand[value_name]).max() <= 1e-11 * size, value_name


@pytest.mark.parametrize("name", sorted(CASES))
def test_everything_is_float64_finite_and_of_its_shape(name: str) -> None:
    case = CASES[name]
    B, H, C = (case.sizes[s] for s in "BHC")
    shapes = dict.fromkeys(("Z1", "H1", "dZ1", "dH1"), (B, H))
    shapes |= dict.fromkeys(("Z2", "P", "logP", "dZ2"), (B, C)) | {"loss": ()}
    shapes |= {f"d{t}": case.inputs[t].shape for t in TENSORS}
    got = expected(case)
    assert {n: a.shape for n, a in got.items()} == shapes
    assert all(a.dtype == np.float64 and np.isfinite(a).all() for a in got.values())


def test_no_gradient_passes_where_z1_is_exactly_zero() -> None:
    got = expected(CASES["zeros"])
    assert (got["Z1"] == 0).any()
    assert (got["dZ1"][got["Z1"] == 0] == 0).all()
    assert (got["dH1"][got["Z1"] == 0] != 0).any()


def test_the_arguments_are_left_as_they_are() -> None:
    from grader.problem import oracle

    inputs = {n: a.copy() for n, a in CASES["primes"].inputs.items()}
    oracle.expected(**inputs)
    assert all(np.array_equal(a, CASES["primes"].inputs[n]) for n, a in inputs.items())


def test_a_second_call_starts_afresh() -> None:
    first, second = expected(CASES["primes"]), expected(CASES["primes"])
    assert all(np.array_equal(first[n], second[n]) for n in NAMES)


def test_handle_answers_one_kind_of_request_only() -> None:
    from grader.problem import oracle

    answer = oracle.handle("expect", CASES["square"].inputs)
    assert set(answer) == NAMES
    with pytest.raises(ValueError, match="forward"):
        oracle.handle("forward", CASES["square"].inputs)


def test_its_source_can_be_sent_alone() -> None:
    """It is executed in a child that has numpy and torch, and nothing of the judge's."""
    assert Path(__file__).parents[2] / "grader" / "problem" / "oracle.py" == SOURCE
    tree = ast.walk(ast.parse(SOURCE.read_text()))
    imported = {a.name for n in tree if isinstance(n, ast.Import) for a in n.names}
    tree = ast.walk(ast.parse(SOURCE.read_text()))
    imported |= {str(n.module) for n in tree if isinstance(n, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= {
        "__future__",
        "typing",
        "numpy",
        "torch",
    }
