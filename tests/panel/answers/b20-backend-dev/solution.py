from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch

from nn_functional import (
    linear,
    linear_grad,
    relu,
    relu_grad,
    softmax_cross_entropy,
    softmax_cross_entropy_grad,
)

log = logging.getLogger(__name__)


@dataclass
class Cache:
    x: np.ndarray
    y: np.ndarray
    w1: np.ndarray
    w2: np.ndarray
    z1: np.ndarray
    h1: np.ndarray
    probs: np.ndarray


def forward(X, y, W1, b1, W2, b2) -> tuple[float, Cache]:
    z1 = linear(X, W1, b1)
    h1 = relu(z1)
    z2 = linear(h1, W2, b2)
    loss, probs = softmax_cross_entropy(z2, y)
    return float(loss), Cache(X, y, W1, W2, z1, h1, probs)


def backward(cache: Cache) -> dict[str, np.ndarray]:
    dz2 = softmax_cross_entropy_grad(cache.probs, cache.y)
    dh1, dw2, db2 = linear_grad(dz2, cache.h1, cache.w2)
    dz1 = relu_grad(dh1, cache.z1)
    dx, dw1, db1 = linear_grad(dz1, cache.x, cache.w1)
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2, "X": dx}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    named = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "X": X}
    leaves = {name: torch.tensor(arr, requires_grad=True) for name, arr in named.items()}
    hidden = torch.relu(leaves["X"] @ leaves["W1"] + leaves["b1"])
    logits = hidden @ leaves["W2"] + leaves["b2"]
    loss = torch.nn.functional.cross_entropy(logits, torch.as_tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), {name: leaf.grad.numpy() for name, leaf in leaves.items()}


def verify(X, y, W1, b1, W2, b2) -> bool:
    loss, cache = forward(X, y, W1, b1, W2, b2)
    manual = backward(cache)
    ref_loss, reference = torch_forward_backward(X, y, W1, b1, W2, b2)
    failures = []
    if not np.isclose(loss, ref_loss, rtol=1e-4, atol=1e-6):
        failures.append("loss")
    for name, expected in reference.items():
        if manual[name].shape != expected.shape or not np.allclose(manual[name], expected, rtol=1e-4, atol=1e-6):
            failures.append(name)
    if failures:
        log.error("mismatch: %s", ", ".join(failures))
    return not failures


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    rng = np.random.default_rng(0)
    B, D, H, C = 8, 6, 10, 4
    result = verify(
        rng.standard_normal((B, D)), rng.integers(0, C, B),
        rng.standard_normal((D, H)), rng.standard_normal(H),
        rng.standard_normal((H, C)), rng.standard_normal(C),
    )
    log.info("verified: %s", result)
