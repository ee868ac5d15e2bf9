"""How far a right answer may be from autograd's, and why that far.

Two correct programs differ by rounding alone. For sums of n terms the relative
error is bounded by gamma_n = n u / (1 - n u), u the unit roundoff (Higham,
*Accuracy and Stability of Numerical Algorithms*, 2nd ed., §3.1). A value here
passes through sums of D, H, C and B terms. The softmax is conditioned
absolutely in its logits, ‖dP‖ ≤ ‖dZ2‖, so an error of u·|Z2| in the logits
enters P as it is: hence the factor 1 + max|Z2|.
"""

from __future__ import annotations

import numpy as np

from grader.records import Array, Case

SAFETY = 64.0
"""Room above the first-order bound for cancellation in p - onehot and in sums over the batch."""

ELEMENTARY = 32
"""Roundings outside the sums: exp, log, division, subtraction of the maximum, and the like."""

FINITE_DIFFERENCE = 1e-6
"""Limit for central differences in float64: the step h = eps^(1/3) ≈ 6e-6 leaves an error of
h² |f'''| / 6 + eps |f| / h ≈ 1e-10; 1e-6 also covers steep losses, and is far below any bug."""

STEP = float(np.finfo(np.float64).eps ** (1.0 / 3.0))
"""The step that balances truncation against rounding for central differences in float64."""


def limit(case: Case, Z2: Array, dtype: np.dtype[np.floating] | None = None) -> float:
    """Largest relative error of a right answer on `case`, in `dtype` (default: that of X).

    `Z2` [B, C] are the expected logits. The error is `max|got - expected| / scale`.
    """
    unit = float(np.finfo(dtype or case.X.dtype).eps) / 2.0
    n = sum(case.sizes.values()) + ELEMENTARY
    gamma = n * unit / (1.0 - n * unit)
    return SAFETY * gamma * (1.0 + float(np.abs(Z2).max()))


def scale(name: str, expected: Array, case: Case) -> float:
    """What an error in `expected` is measured against: its largest entry, or its natural size.

    The natural size is 1 for the loss and its logits, 1/B for gradients (p - onehot is of order
    one): it keeps a gradient that is 0 everywhere from asking for exact zeros.
    """
    natural = 1.0 / case.sizes["B"] if name.startswith("d") else 1.0
    return max(float(np.abs(expected).max(initial=0.0)), natural)
