"""The checks of the ReLU's mask, each on a right answer and on a spoiled one."""

from __future__ import annotations

import numpy as np

from grader.checks.relu import relu_mask, relu_zero
from grader.records import Array
from tests.checks.simulation import exam, fails, finding, put, waits


def dW1(case: str, mask: Array) -> Array:
    """Return dW1 on a case, with this mask in place of Z1 > 0."""
    expected = exam().expected[case]
    return expected.case.X.T @ (expected["dH1"] * mask)


def test_relu_mask() -> None:
    Z1 = exam().expected["primes"]["Z1"]
    fails(relu_mask, put("backward/primes", "W1", lambda _: dW1("primes", np.ones_like(Z1))),
          says="inactive entries")  # fmt: skip
    fails(relu_mask, put("backward/primes", "W1", lambda _: dW1("primes", Z1 > 0.5)),
          says="active entries (Z1 > 0)")  # fmt: skip
    waits(relu_mask, put("backward/primes", "W1", lambda right: right + 1))


def test_relu_zero() -> None:
    Z1 = exam().expected["zeros"]["Z1"]
    double = (Z1 > 0) + 2.0 * (Z1 == 0)
    fails(relu_zero, put("backward/zeros", "W1", lambda _: dW1("zeros", double)), says="got 2")
    fails(relu_zero, put("backward/zeros", "W1", lambda right: right * np.nan), says="not finite")
    waits(relu_zero, put("backward/zeros", "W1", lambda right: right + 1))


def test_relu_zero_tells_which_slope_is_taken() -> None:
    Z1 = exam().expected["zeros"]["Z1"]
    made = finding(relu_zero, put("backward/zeros", "W1", lambda _: dW1("zeros", Z1 >= 0)))
    assert np.allclose(made.evidence[0].numbers, (1.0, 1.0))
    assert np.allclose(finding(relu_zero).evidence[0].numbers, (0.0, 0.0))
