"""
Manual backprop vs autograd for a two-layer classifier.

Every intermediate has its shape next to it. Gradients are named d<name> and always
have the shape of <name>.
"""
from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

Grads = dict[str, np.ndarray]
NAMES = ("W1", "b1", "W2", "b2", "X")


def softmax(Z: np.ndarray) -> np.ndarray:
    """Row-wise softmax. The row maximum is subtracted so that exp cannot overflow."""
    E = np.exp(Z - Z.max(axis=1, keepdims=True))  # [B, C], in (0, 1]
    return E / E.sum(axis=1, keepdims=True)  # [B, C]


def forward(X, y, W1, b1, W2, b2) -> tuple[Any, dict[str, np.ndarray]]:
    """Mean cross-entropy over the batch, and the cache for backward."""
    Z1 = X @ W1 + b1  # [B, H]
    H1 = np.maximum(Z1, 0)  # [B, H]
    Z2 = H1 @ W2 + b2  # [B, C]
    P = softmax(Z2)  # [B, C]
    p_true = P[np.arange(X.shape[0]), y]  # [B]
    loss = -np.mean(np.log(p_true))
    return loss, {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": P}


def backward(cache: dict[str, np.ndarray]) -> Grads:
    """Chain rule from the loss down to X; the cache is not modified."""
    X, y, W1, W2 = (cache[k] for k in ("X", "y", "W1", "W2"))
    Z1, H1, P = (cache[k] for k in ("Z1", "H1", "P"))
    B = X.shape[0]

    dZ2 = P.copy()  # [B, C]
    dZ2[np.arange(B), y] -= 1.0
    dZ2 /= B  # the mean, exactly once

    dW2 = H1.T @ dZ2  # [H, C]
    db2 = dZ2.sum(axis=0)  # [C]
    dH1 = dZ2 @ W2.T  # [B, H]
    dZ1 = dH1 * (Z1 > 0)  # [B, H]
    dW1 = X.T @ dZ1  # [D, H]
    db1 = dZ1.sum(axis=0)  # [H]
    dX = dZ1 @ W1.T  # [B, D]
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2) -> tuple[float, Grads]:
    """Fresh leaves in every call, so .grad never accumulates."""
    given = dict(zip(NAMES, (W1, b1, W2, b2, X)))
    leaf = {k: torch.tensor(v, requires_grad=True) for k, v in given.items()}
    hidden = F.relu(leaf["X"] @ leaf["W1"] + leaf["b1"])
    logits = hidden @ leaf["W2"] + leaf["b2"]
    loss = F.cross_entropy(logits, torch.tensor(y, dtype=torch.int64))
    loss.backward()
    return loss.item(), {k: leaf[k].grad.numpy() for k in NAMES}


def verify(X, y, W1, b1, W2, b2) -> bool:
    """All five gradients and the loss, relative to the largest entry of each."""
    loss, cache = forward(X, y, W1, b1, W2, b2)
    manual = backward(cache)
    t_loss, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    tol = 1e-10 if X.dtype == np.float64 else 1e-4
    ok = bool(abs(loss - float(t_loss)) <= tol * max(1.0, abs(float(t_loss))))
    for name in NAMES:
        expected = np.asarray(auto[name])
        ok &= manual[name].shape == expected.shape
        ok &= bool(np.max(np.abs(manual[name] - expected)) <= tol * np.max(np.abs(expected)))
    return ok
