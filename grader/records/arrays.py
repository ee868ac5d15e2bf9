"""Arrays as all records hold them, and the five tensors that the question asks about."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

TENSORS = ("W1", "b1", "W2", "b2", "X")
"""The five tensors whose gradients are asked for; the keys of the contract's mapping."""


def read_only(array: Array) -> Array:
    """Return `array`, contiguous and not writeable, for records to share."""
    frozen = np.ascontiguousarray(array) if array.ndim else array.copy()
    frozen.flags.writeable = False
    return frozen
