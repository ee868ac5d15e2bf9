"""Checks of the ReLU's mask, read off dW1: where it is open, and what it does at zero."""

from __future__ import annotations

import numpy as np

from grader.checks.check import Conclusion, check, failed, judge, waits
from grader.checks.view import View, number
from grader.problem.compare import DERIVED, PROPORTIONAL, TINY, error, proportion
from grader.records import Array, CheckStatus, Evidence, Mismatch

DW1 = "backward.dW1"
"""The check of the gradient that the mask is read off."""


def _recovered(view: View, case: str) -> Array | None:
    """dZ1 [B, H] from the candidate's dW1 = X.T @ dZ1: unique, for D > B and X has full rank."""
    got = view.step(f"backward/{case}").arrays.get("W1")
    expected = view.expected(case)
    if got is None or got.shape != expected["dW1"].shape or not np.isfinite(got).all():
        return None
    dZ1, *_ = np.linalg.lstsq(expected.case.X.T, got.astype(np.float64), rcond=None)
    return np.asarray(dZ1) if error(expected.case.X.T @ dZ1, got) <= DERIVED else None


@check(
    "backward.relu_mask",
    "The gradient passes where Z1 > 0, and only there",
    hint="dZ1 = dH1 * (Z1 > 0), with the Z1 that forward put into the cache.",
    serves="Part 2: ReLU gated by the cached pre-activation.",
)
def relu_mask(view: View) -> Conclusion:
    """The dZ1 recovered from dW1 is zero exactly where the pre-activation is not positive."""
    dZ1 = _recovered(view, "primes")
    expected = view.expected("primes")
    if dZ1 is None:
        return waits("dW1 is no X.T @ dZ1, so its mask cannot be read.", DW1)
    tiny = DERIVED * max(float(np.abs(dZ1).max()), TINY)
    passes = np.abs(dZ1) > tiny
    wrong = passes & (expected["Z1"] <= 0)
    blocked = ~passes & (np.abs(expected["dZ1"]) > DERIVED)
    inactive, active = int((expected["Z1"] <= 0).sum()), int((expected["Z1"] > 0).sum())
    lines = [
        _count("inactive entries (Z1 ≤ 0) that pass a gradient", wrong, inactive),
        _count("active entries (Z1 > 0) that pass none", blocked, active),
    ]
    return judge(lines, "The gradient passes exactly where Z1 > 0.")


def _count(what: str, entries: Array, among: int) -> Evidence:
    count = int(entries.sum())
    status = CheckStatus.of(not count)
    return Evidence(what, "0", f"{count} of {among}", "primes", verdict=status)


@check(
    "backward.relu_zero",
    "The convention at z = 0 is a subgradient",
    hint="At exactly z = 0 any slope in [0, 1] is right; PyTorch takes 0. Say which you take.",
    serves="Part 2: the convention at z = 0.",
    tensor="dZ1",
    condition="where Z1 is 0",
)
def relu_zero(view: View) -> Conclusion:
    """At exact zeros of Z1 the gradient is passed with a slope in [0, 1]; which one is reported."""
    dZ1, expected = _recovered(view, "zeros"), view.expected("zeros")
    dH1, Z1 = expected["dH1"], expected["Z1"]
    large = np.abs(dH1) > PROPORTIONAL * np.abs(dH1).max()
    at_zero, active = (Z1 == 0) & large, (Z1 > 0) & large
    if _only_zeros_break(view):
        line = Evidence("dW1 with zeros in Z1", "finite", "not finite", "zeros",
                        tensor="W1", mismatch=Mismatch.NOT_FINITE)  # fmt: skip
        return failed("At z = 0 the gradient is not finite.", line)
    if dZ1 is None:
        return waits("dW1 is no X.T @ dZ1, so the slope at zero cannot be read.", DW1)
    factor = proportion(dZ1[active], dH1[active])
    if factor is None:
        return waits("dZ1 is wrong away from zero already.", DW1)
    slopes = dZ1[at_zero] / (factor * dH1[at_zero])
    low, high = float(slopes.min()), float(slopes.max())
    one = high - low < PROPORTIONAL
    words = number(round(low, 6) + 0.0) if one else f"{number(low)} to {number(high)}"
    status = CheckStatus.of(low >= -PROPORTIONAL and high <= 1 + PROPORTIONAL)
    line = Evidence("slope at z = 0", "within [0, 1]", words, "zeros",
                    verdict=status, numbers=(low, high))  # fmt: skip
    as_torch = abs(high) < PROPORTIONAL
    same = "as in PyTorch" if as_torch else "PyTorch takes 0; both are subgradients"
    return judge([line], f"The slope at z = 0 is {words} ({same}).")


def _only_zeros_break(view: View) -> bool:
    """Whether dW1 is finite on ordinary input, and not where Z1 has zeros."""
    plain, zeros = (view.step(f"backward/{c}").arrays.get("W1") for c in ("primes", "zeros"))
    if plain is None or zeros is None:
        return False
    return bool(np.isfinite(plain).all() and not np.isfinite(zeros).all())


RELU = (relu_mask, relu_zero)
