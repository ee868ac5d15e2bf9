"""Gradients from weights that were stepped: (W_before − W_after) / lr (child's side).

Only where the step is exactly lr · gradient: at twice the rate it has to be twice as long.
So momentum, Adam and decay are never taken for a gradient. At lr = 1 in float64 the
difference is exact to about eps · |W|, far below what the comparisons allow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grader.child.binding.language.adapter import RATE, Adapter, Inputs
from grader.child.binding.trial import RAISED

EXACT = 1e-9
TOLD = re.compile(r"\blr\b")


def _takes_rate(adapter: Adapter) -> bool:
    """Tell whether some call, or the object, is told the learning rate."""
    return any(TOLD.search(line.partition("=")[2]) for line in adapter.lines)


def _after(adapter: Adapter, case: Inputs, rate: float) -> dict[str, Any]:
    """Return the names once all calls were made at a learning rate."""
    _, kept = adapter.forward({n: a.copy() for n, a in case.items()}, rate)
    return adapter.finish(kept)


def follows_rate(adapter: Adapter, case: Inputs) -> bool:
    """Tell whether what looks like gradients depends on the learning rate: then it is weights."""
    if not _takes_rate(adapter) or not adapter.gradients:
        return False
    single, double = (_after(adapter, case, rate) for rate in (RATE, 2 * RATE))
    return any(
        not np.array_equal(adapter.value(text, single), adapter.value(text, double))
        for text in adapter.gradients.values()
    )


def find(adapter: Adapter, case: Inputs, places: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Weight → where it stands after an exact step; {} when there is no such step.

    `places` are the expressions to try for each.
    """
    encoded = adapter.layout.encode(case)
    try:
        single, double = (_after(adapter, case, rate) for rate in (RATE, 2 * RATE))
    except RAISED:
        return {}
    stepped: dict[str, str] = {}
    for tensor, texts in places.items():
        for text in texts:
            ends = [np.asarray(adapter.value(text, space)) for space in (single, double)]
            if any(end.shape != encoded[tensor].shape for end in ends):
                continue
            one, two = (encoded[tensor] - end for end in ends)
            if one.any() and np.abs(two - 2 * one).max() <= EXACT * np.abs(two).max():
                stepped[tensor] = text
                break
    return stepped
