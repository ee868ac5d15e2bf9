"""How a gradient is spoiled, and which of a stranger's arrays are the network's (child's side)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Corruption:
    """One way to spoil a gradient.

    `scale`: times `amount`. `entry`: the entry at that share of the size is changed by the
    largest magnitude. `transpose`, where that keeps the shape. `mask`: as if the ReLU let
    everything pass.
    """

    kind: str
    amount: float


def is_zero(value: Array) -> bool:
    """Whether nothing but rounding is there: sums of numbers of order one cancel no further."""
    eps = np.finfo(value.dtype if value.dtype.kind == "f" else np.float64).eps
    return not np.abs(value).max(initial=0.0) > eps


def spoiled(value: Array, corruption: Corruption, masked: Array | None) -> Array | None:
    """`value` gone wrong; None where it cannot go wrong in that way.

    A factor is no error of a gradient that is 0.
    """
    wrong: Array | None = None
    if corruption.kind == "scale" and not is_zero(value):
        wrong = value * corruption.amount
    elif corruption.kind == "entry" and value.size:
        wrong = value.copy()
        index = min(int(corruption.amount * value.size), value.size - 1)
        wrong.reshape(-1)[index] += 1.0 if is_zero(value) else np.abs(value).max()
    elif (
        corruption.kind == "transpose"
        and not is_zero(value)
        and value.ndim == 2
        and len(set(value.shape)) == 1
    ):
        wrong = value.T.copy()
    elif corruption.kind == "mask" and masked is not None:
        wrong = _in_form(masked, value.shape)
    if wrong is None or not np.abs(wrong - value).max(initial=0.0) > 0:
        return None
    return wrong


def _in_form(array: Array, shape: tuple[int, ...]) -> Array | None:
    if array.shape == shape:
        return array
    if array.T.shape == shape:
        return array.T.copy()
    return array.reshape(shape) if array.size == int(np.prod(shape)) else None


def without_mask(inputs: Mapping[str, Array], own: Mapping[str, Array]) -> dict[str, Array]:
    """dW1, db1 and dX as they are without the ReLU's gate, in the scale of the `own` dW2.

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
    found = {n: leaves[n].grad.numpy() for n in names}
    factor = 1.0
    if "W2" in own and (form := _in_form(np.asarray(own["W2"]), found["W2"].shape)) is not None:
        factor = float(np.sum(form * found["W2"]) / max(float(np.sum(found["W2"] ** 2)), 1e-300))
    return {n: factor * found[n] for n in ("W1", "b1", "X")}


def inputs_among(
    leaves: Sequence[Array], names: Sequence[str], labels: Sequence[Array]
) -> tuple[dict[str, int], Array | None] | None:
    """Which leaf is which tensor, by shapes that fit together, and the labels that go with them.

    X [B, D], W1 [D, H], b1 [H], W2 [H, C], b2 [C], weights and biases maybe the other way
    round (`nn.Linear`'s are). X need not be among them. `names` is how the source calls each
    leaf, where several ways fit. None where nothing fits.
    """
    ways = list(_ways(leaves))
    if not ways:
        return None

    def named(way: dict[str, int]) -> tuple[int, bool]:
        return sum(_is_called(tensor, names[i]) for tensor, i in way.items()), "X" in way

    found = max(ways, key=named)  # the first of equals
    if "X" not in found:
        return found, None
    return found, _labels(labels, leaves[found["X"]].shape[0], leaves[found["b2"]].size)


def _is_called(tensor: str, text: str) -> bool:
    """Whether a word of the source begins or ends as the tensor does: `W1t`, `t_X`, `"b2"`."""
    words = [word.replace("_", "").lower() for word in re.findall(r"[A-Za-z]\w*", text)]
    return any(word.startswith(tensor.lower()) or word.endswith(tensor.lower()) for word in words)


def _ways(leaves: Sequence[Array]) -> Iterator[dict[str, int]]:
    flat = [i for i, a in enumerate(leaves) if a.size == max(a.shape, default=0)]
    wide = [i for i, a in enumerate(leaves) if a.ndim == 2 and i not in flat]
    for turned in (False, True):
        for first, second in permutations(wide, 2):
            W1, W2 = (leaves[i].T if turned else leaves[i] for i in (first, second))
            if W1.shape[1] != W2.shape[0]:
                continue
            rest = [i for i in wide if i not in (first, second)]
            inputs = [i for i in rest if leaves[i].shape[1] == W1.shape[0]]
            for b1, b2 in permutations(flat, 2):
                if (leaves[b1].size, leaves[b2].size) != (W1.shape[1], W2.shape[1]):
                    continue
                found = {"W1": first, "b1": b1, "W2": second, "b2": b2}
                yield from ({**found, "X": X} for X in inputs) if inputs else (found,)


def _labels(arrays: Sequence[Array], rows: int, classes: int) -> Array | None:
    fitting = (a for a in arrays if a.shape == (rows,) and a.size and a.min() >= 0)
    return next((np.array(a) for a in fitting if a.max() < classes), None)
