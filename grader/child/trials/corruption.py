"""How a gradient is made wrong (child's side)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grader.child.reports import Corruption, CorruptionKind

Array = np.ndarray[Any, Any]


def is_zero(value: Array) -> bool:
    """Return whether nothing but rounding is there: sums of numbers near one cancel no further."""
    eps = np.finfo(value.dtype if value.dtype.kind == "f" else np.float64).eps
    return not np.abs(value).max(initial=0.0) > eps


def corrupted(value: Array, corruption: Corruption, masked: Array | None) -> Array | None:
    """Return `value` made wrong; None where it cannot go wrong in that way.

    A factor is no error of a gradient that is 0. `masked` is the gradient without the mask.
    """
    wrong: Array | None = None
    match corruption.kind:
        case CorruptionKind.SCALE if not is_zero(value):
            wrong = value * corruption.amount
        case CorruptionKind.ENTRY if value.size:
            wrong = value.copy()
            index = min(int(corruption.amount * value.size), value.size - 1)
            wrong.reshape(-1)[index] += 1.0 if is_zero(value) else np.abs(value).max()
        case CorruptionKind.TRANSPOSE if value.ndim == 2 and len(set(value.shape)) == 1:
            wrong = None if is_zero(value) else value.T.copy()
        case CorruptionKind.MASK if masked is not None:
            wrong = _in_form(masked, value.shape)
    if wrong is None or not np.abs(wrong - value).max(initial=0.0) > 0:
        return None
    return wrong


def marked(value: Array, mark: Array) -> Array:
    """Return `value` times `mark[0]`, the entry at the share `mark[1]` of its size changed.

    It is changed by the largest magnitude times `mark[2]`; 0 leaves it.
    """
    factor, share, times = map(float, mark)
    other = np.array(value * factor)
    if value.size and times:
        index = min(int(share * value.size), value.size - 1)
        other.reshape(-1)[index] += times * (1.0 if is_zero(value) else np.abs(value).max())
    return other


def at_a_step(corruption: Corruption, base: Array, points: Sequence[Array]) -> Corruption:
    """Return the corruption, `entry` moved to the nearest entry that the points step."""
    start = base.reshape(-1)
    moved = [
        int(index)
        for point in points
        if point.size == start.size
        for index in np.flatnonzero(point.reshape(-1) != start.astype(point.dtype))
    ]
    if corruption.kind is not CorruptionKind.ENTRY or not moved:
        return corruption
    asked = corruption.amount * start.size
    nearest = min(moved, key=lambda index: abs(index - asked))
    return Corruption(CorruptionKind.ENTRY, (nearest + 0.5) / start.size)


def _in_form(array: Array, shape: tuple[int, ...]) -> Array | None:
    if array.shape == shape:
        return array
    if array.T.shape == shape:
        return array.T.copy()
    return array.reshape(shape) if array.size == int(np.prod(shape)) else None


def without_mask(inputs: Mapping[str, Array], gradients: Mapping[str, Array]) -> dict[str, Array]:
    """Return dW1, db1 and dX without the ReLU's gate, in the scale of the dW2 in `gradients`.

    Autograd finds them: H1 keeps its value, but its slope is 1 everywhere.
    """
    import torch
    from torch.nn.functional import cross_entropy

    names = ("X", "W1", "b1", "W2", "b2")
    leaves = {n: torch.tensor(np.asarray(inputs[n], float), requires_grad=True) for n in names}
    Z1 = leaves["X"] @ leaves["W1"] + leaves["b1"]
    H1 = torch.relu(Z1).detach() + Z1 - Z1.detach()
    logits = H1 @ leaves["W2"] + leaves["b2"]
    cross_entropy(logits, torch.tensor(np.asarray(inputs["y"]), dtype=torch.int64)).backward()
    slopes = {n: leaves[n].grad.numpy() for n in names}
    factor = 1.0
    dW2 = _in_form(np.asarray(gradients["W2"]), slopes["W2"].shape) if "W2" in gradients else None
    if dW2 is not None:
        factor = float(np.sum(dW2 * slopes["W2"]) / max(float(np.sum(slopes["W2"] ** 2)), 1e-300))
    return {n: factor * slopes[n] for n in ("W1", "b1", "X")}
