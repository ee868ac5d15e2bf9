"""Arrays of a cache are named by their values."""

from __future__ import annotations

import numpy as np
import pytest

from grader.checks.cache import arrays_in, dtype_line, tensor_of
from grader.records import Mismatch
from tests.checks.simulation import CACHED, exam, simulated, told

PRIMES = exam().expected["primes"]


def test_each_array_has_its_path() -> None:
    held = arrays_in(simulated(), "primes")
    assert [path for path, _ in held] == [f"cache[{i}]" for i in range(len(CACHED))]
    assert arrays_in(simulated(told("forward/primes", paths=())), "primes") == []


@pytest.mark.parametrize(
    ("array", "name"),
    [
        (PRIMES["Z1"], "Z1"),
        (PRIMES["P"].T, "P"),
        (PRIMES["Z1"] > 0, "mask"),
        (np.exp(PRIMES["Z2"]), "exp(Z2)"),
        (np.eye(PRIMES["Z2"].shape[1])[PRIMES.case.y], "one-hot y"),
        (PRIMES["Z1"] + 1e-6, ""),
    ],
)
def test_a_tensor_is_known_by_its_value(array: np.ndarray, name: str) -> None:
    view = simulated()
    assert tensor_of(view, array) == name


def test_float32_is_compared_as_such() -> None:
    Z1 = exam().expected["float32"]["Z1"]
    assert tensor_of(simulated(), Z1.astype(np.float32), "float32") == "Z1"
    made = dtype_line("Z1", Z1.astype(np.float64))
    assert (made.good, made.mismatch) == (False, Mismatch.DTYPE)
