"""Numbers over a size: gradients over the batch, the loss over its logits, differences over h."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from grader.checks.view import View
from grader.problem.cases import GROWTH, SLOPE_STEPS
from grader.problem.compare import FLAT, proportion
from grader.records import TENSORS, Array, Curve, Observation

OVER_BATCHES = ("one_row", "primes", "square", "batch_is_hidden", "more_rows")
"""Cases by their batch sizes: 1, 5 or 7, 6, 7 and 17."""

PARTS = (("numpy", "forward", "backward"), ("torch", "torch", "torch"))


def ratios(view: View) -> tuple[Curve, ...]:
    """Return the ratio of the loss and of each gradient to the expected, over the batch size.

    By part and tensor; a point is left out where there is no such ratio, and a curve
    where fewer than two points are left.
    """
    curves = []
    for part, forward, backward in PARTS:
        for name in ("loss", *TENSORS):
            kind = forward if name == "loss" else backward
            points = tuple(sorted(_ratios(view, kind, name)))
            if len(points) > 1:
                curves.append(Curve(part, "loss" if name == "loss" else f"d{name}", points))
    return tuple(curves)


def _ratios(view: View, kind: str, name: str) -> Iterator[tuple[float, float]]:
    for case in OVER_BATCHES:
        expected = view.expected(case)
        got = view.step(f"{kind}/{case}").arrays.get(name)
        want = expected["loss" if name == "loss" else f"d{name}"]
        if got is None or got.size != want.size:
            continue
        ratio = proportion(got.reshape(want.shape), want)
        if ratio is not None:
            yield float(expected.case.sizes["B"]), ratio


def growth(view: View) -> tuple[Curve, ...]:
    """Return the candidate's loss and the right one over the largest |logit|, on `primes` with its
    second layer times 1, 10, …; a loss that is not finite stays so in the curve.
    """
    expected = view.expected("primes")
    Z2, y = expected["Z2"], expected.case.y
    largest = float(np.abs(Z2).max())
    mine, right = [], []
    for factor in GROWTH:
        got = _scalar(view.step(f"growth/{factor:g}"))
        if got is not None:
            mine.append((factor * largest, got))
        right.append((factor * largest, cross_entropy(factor * Z2, y)))
    if len(mine) < 2:
        return ()
    return Curve("numpy", "loss", tuple(mine)), Curve("numpy", "autograd", tuple(right))


def cross_entropy(Z2: Array, y: Array) -> float:
    """Return the mean of log(sum(exp(z - max z))) - (z[y] - max z) over the rows of Z2 [B, C]."""
    shifted = Z2 - Z2.max(axis=1, keepdims=True)
    mine = shifted[np.arange(len(y)), y]
    return float((np.log(np.exp(shifted).sum(axis=1)) - mine).mean())


def steps(view: View) -> tuple[Curve, ...]:
    """Return |gradient - central difference| over its size, over the step h, along one direction.

    Both are the candidate's own: the difference of the own loss, the gradient along all
    five tensors at once.
    """
    gradient = _directional(view)
    if gradient is None:
        return ()
    points = []
    for step in SLOPE_STEPS:
        plus, minus = (_scalar(view.step(f"slope/{step:.0e}/{s}")) for s in ("plus", "minus"))
        if plus is None or minus is None:
            continue
        with np.errstate(all="ignore"):
            slope = float((np.float64(plus) - np.float64(minus)) / (2 * step))
            error = abs(slope - gradient) / max(abs(slope), abs(gradient), FLAT)
        points.append((step, float(error)))
    return (Curve("numpy", "difference", tuple(points)),) if len(points) > 2 else ()


def _directional(view: View) -> float | None:
    """The sum over all tensors of gradient · direction; None when one of them does not fit."""
    arrays = view.step("backward/primes").arrays
    total = 0.0
    for tensor in TENSORS:
        got, direction = arrays.get(tensor), view.exam.paper.directions[tensor]
        if got is None or got.size != direction.size:
            return None
        with np.errstate(all="ignore"):
            total += float((got.reshape(direction.shape).astype(np.float64) * direction).sum())
    return total if np.isfinite(total) else None


def _scalar(run: Observation) -> float | None:
    got = run.arrays.get("loss")
    return float(got.reshape(())) if got is not None and got.size == 1 else None
