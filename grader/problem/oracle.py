"""The oracle: every intermediate and every gradient, by torch autograd in float64.

This file is also sent, as source, to a child of the torch zygote and answers
there (`handle`): so the judge never imports torch, the one import that a run
pays for is the zygote's, and no expected value is ever in a zygote's memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F


def expected(X: Any, y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Return loss, intermediates and gradients of one case, all float64.

    Gives `Z1 H1 [B, H]`, `Z2 P logP [B, C]`, `loss []`, and the gradients of
    the mean cross-entropy `dZ2 [B, C]`, `dH1 dZ1 [B, H]`, `dW1 db1 dW2 db2 dX`.
    At Z1 = 0 torch's ReLU passes no gradient.
    """
    leaves = {
        name: torch.from_numpy(np.array(value, dtype=np.float64)).requires_grad_()
        for name, value in (("X", X), ("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2))
    }
    labels = torch.from_numpy(np.array(y, dtype=np.int64))
    Z1 = leaves["X"] @ leaves["W1"] + leaves["b1"]
    H1 = torch.relu(Z1)
    Z2 = H1 @ leaves["W2"] + leaves["b2"]
    loss = F.cross_entropy(Z2, labels, reduction="mean")
    wanted = {**leaves, "Z1": Z1, "H1": H1, "Z2": Z2}
    gradients = torch.autograd.grad(loss, list(wanted.values()))
    values = {"Z1": Z1, "H1": H1, "Z2": Z2, "loss": loss}
    values |= {"logP": F.log_softmax(Z2, dim=1), "P": F.softmax(Z2, dim=1)}
    values |= {f"d{name}": g for name, g in zip(wanted, gradients, strict=True)}
    return {name: value.detach().numpy() for name, value in values.items()}


def stacked(kinds: list[str], inputs: dict[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Return outputs and gradients of layers one after another: see `problem.stacks.Stack`.

    Gives `out`, the last value before the loss, `loss []` where the last layer is one, `dx{i}`
    for the input of the layer at place i, and `dW{i}` and `db{i}` of linear ones. Without a
    loss the gradients are those of `sum(out * upstream)`.
    """
    wanted: dict[str, torch.Tensor] = {}

    def leaf(name: str) -> torch.Tensor:
        return torch.from_numpy(np.array(inputs[name], dtype=np.float64)).requires_grad_()

    value = leaf("x")
    loss = None
    for place, kind in enumerate(kinds):
        wanted[f"dx{place}"] = value
        if kind == "linear":
            W, b = leaf(f"W{place}"), leaf(f"b{place}")
            wanted |= {f"dW{place}": W, f"db{place}": b}
            value = value @ W + b
        elif kind == "relu":
            value = torch.relu(value)
        else:
            labels = torch.from_numpy(np.array(inputs["y"], dtype=np.int64))
            loss = F.cross_entropy(value, labels, reduction="mean")
    # As a scalar: with an upstream gradient torch imports half of its compiler at the first call.
    total = (value * torch.from_numpy(np.array(inputs["upstream"]))).sum() if loss is None else loss
    gradients = torch.autograd.grad(total, list(wanted.values()))
    values = {"out": value, **({} if loss is None else {"loss": loss})}
    values |= dict(zip(wanted, gradients, strict=True))
    return {name: array.detach().numpy() for name, array in values.items()}


def handle(kind: str, items: dict[str, Any]) -> dict[str, Any]:
    """Answer one request of the judge: inputs in, `expected` or `stacked` of them out."""
    if kind == "expect":
        return expected(**items)
    if kind == "stack":
        return stacked(items.pop("kinds").split(), items)
    raise ValueError(f"the oracle does not know {kind!r}")
