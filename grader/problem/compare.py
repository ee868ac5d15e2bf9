"""The one error measure of the judge, and every limit that it is held against.

Two correct programs differ by rounding alone. For sums of n terms the relative
error is bounded by gamma_n = n u / (1 - n u), u the unit roundoff (Higham,
*Accuracy and Stability of Numerical Algorithms*, 2nd ed., §3.1). A value here
passes through sums of D, H, C and B terms. The softmax is conditioned
absolutely in its logits, ‖dP‖ ≤ ‖dZ2‖, so an error of u·|Z2| in the logits
enters P as it is: hence the factor 1 + max|Z2|.

An error in the logits enters the loss relative to the loss: |dl| ≤ Σ p_j |dz_j - dz_y|
≤ 2 (1 - p_y) max|dZ2|, and 1 - p_y ≤ -log p_y = l. What is absolute in it is the rounding
of a log near log 1, at most (C + 4) u. So the loss is measured as the gradients are, against
its size or 1/B: the limit leaves SAFETY · n · u / B of it for that, which is more for B ≤ 64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.records import Array

FLOAT64, FLOAT32 = np.dtype(np.float64), np.dtype(np.float32)

# ── limits ───────────────────────────────────────────────────────────────────

SAFETY = 64.0
"""Room above the first-order bound for cancellation in p - onehot and in sums over the batch."""

ELEMENTARY = 32
"""Roundings outside the sums: exp, log, division, subtraction of the maximum, and the like."""

NAMED: Mapping[np.dtype[Any], float] = {FLOAT64: 1e-9, FLOAT32: 2e-5}
"""Relative error up to which a value goes by the name of a tensor. Rounding on the small cases
stays under 1e-13 (200 roundings of 6e-8 in float32), and two tensors differ by far more."""

CACHED: Mapping[np.dtype[Any], float] = {FLOAT64: 1e-9, FLOAT32: 1e-4}
"""The same entry by entry, relative and absolute, for the few arrays of a cache."""

DERIVED = 1e-9
"""Relative error of what is computed from an answer: rounding of 1e-13, and a condition of 1e3."""

REPEATED = 1e-12
"""Relative error of the same call made again: threads may sum in another order."""

PROPORTIONAL = 1e-6
"""Relative error up to which one array is a multiple of another, or two ratios are one."""

SOFTMAX_TWICE = 1e-5
"""Relative error of a loss that is that of a double softmax, in float32 too."""

AGREE = 1e-11
"""Relative error up to which two right answers in float64 agree: rounding alone."""

DIFFER = 1e-2
"""Relative error from which two answers differ plainly: who accepts one per cent verifies not."""

FINITE_DIFFERENCE = 1e-6
"""Limit for central differences in float64: the step h = eps^(1/3) ≈ 6e-6 leaves an error of
h² |f'''| / 6 + eps |f| / h ≈ 1e-10; 1e-6 also covers steep losses, and is far below any bug."""

STEP = float(np.finfo(np.float64).eps ** (1.0 / 3.0))
"""The step that balances truncation against rounding for central differences in float64."""

DIRECTIONAL = 10.0 * FINITE_DIFFERENCE
"""The limit along a random direction through all entries, where terms cancel."""

CANCELLED = 1e-3
"""Least slope along a direction, of the largest that there could be: below it all is rounding."""

FLAT = 1e-12
"""Least slope that the error of a finite difference is drawn against."""

TINY = 1e-300
"""Keeps a division by 0 away, and is no size that occurs."""


def limit(terms: int, magnitude: float, dtype: np.dtype[Any]) -> float:
    """Return the largest relative error of a right answer.

    `terms` are those of all sums on the way to it, `magnitude` is the largest logit.
    """
    unit = float(np.finfo(dtype).eps) / 2.0
    n = terms + ELEMENTARY
    return SAFETY * n * unit / (1.0 - n * unit) * (1.0 + magnitude)


# ── measures ─────────────────────────────────────────────────────────────────


def natural_size(name: str, batch: int) -> float:
    """Return the least size that an error of a tensor is measured against.

    It is 1/B for the loss and the gradients (p - onehot is of order one), 1 for what lies
    between: it keeps a gradient that is 0 everywhere from asking for exact zeros.
    """
    return 1.0 / batch if name == "loss" or name.startswith("d") else 1.0


def errors(got: Array, want: Array, natural: float = TINY) -> Array:
    """Return `|got - want|` entry by entry, over the largest `|want|` or `natural`.

    NaN where either is NaN. The shapes must be equal.
    """
    size = max(float(np.abs(want).max(initial=0.0)), natural)
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(got.astype(np.float64) - want) / size)


def error(got: Array, want: Array, natural: float = TINY) -> float:
    """Return the largest of `errors`, NaN where one is NaN: so hold it as `error <= limit`."""
    return float(errors(got, want, natural).max(initial=0.0))


def close(got: Array, want: Array, tolerance: float) -> bool:
    """Return whether two arrays agree entry by entry, relative or absolute; axes may differ."""
    shaped = got.reshape(want.shape) if got.size == want.size else got
    return shaped.shape == want.shape and bool(np.allclose(shaped, want, tolerance, tolerance))


def repeated(first: Array, again: Array) -> bool:
    """Return whether a second call gave the same, but for a last bit."""
    alike = first.shape == again.shape
    return np.array_equal(first, again) or (
        alike and np.allclose(first, again, rtol=REPEATED, atol=0.0, equal_nan=True)
    )


def proportion(got: Array, want: Array, tolerance: float = PROPORTIONAL) -> float | None:
    """Return r where got = r · want to `tolerance`, else None. Only the sizes must agree."""
    with np.errstate(all="ignore"):
        g, w = got.astype(np.float64).ravel(), np.asarray(want, np.float64).ravel()
        norm = float(w @ w)
        if g.shape != w.shape or norm == 0.0:
            return None
        r = float(g @ w) / norm
        residual = float(np.abs(g - r * w).max())
        alike = residual <= tolerance * float(np.abs(g).max())
    return r if alike and r != 0.0 else None


def central_error(step: float, eps: float) -> float:
    """Return what a central difference is off by, for a loss of order one.

    h² f'''/6 of truncation and eps f/h of rounding, with f = f''' = 1.
    """
    return step**2 / 6.0 + eps / step


def in_single(array: Array) -> bool:
    """Return whether every value is a float32, as float64 arithmetic gives by no chance."""
    with np.errstate(all="ignore"):
        return bool(array.any()) and np.array_equal(array, array.astype(np.float32), equal_nan=True)


# ── constant factors ─────────────────────────────────────────────────────────

FACTORS = ("1", "B", "1/B", "1/C", "1/(B·C)", "-1", "-B")
"""Constant factors by which an answer may be off without being wrong in anything else."""

UNSCALED = ("1", "-1")
"""Those that are no size of the batch or of the classes."""


def factor_value(name: str, sizes: Mapping[str, int]) -> float:
    """Return the number that a factor's name stands for at the given sizes."""
    B, C = float(sizes["B"]), float(sizes["C"])
    values = {"1": 1.0, "B": B, "1/B": 1 / B, "1/C": 1 / C, "1/(B·C)": 1 / (B * C)}
    return (values | {"-1": -1.0, "-B": -B})[name]
