from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class ForwardCache:
    """Immutable record of one forward pass."""

    inputs: np.ndarray  # [B, D]
    labels: np.ndarray  # [B]
    w_hidden: np.ndarray  # [D, H]
    w_output: np.ndarray  # [H, C]
    pre_activation: np.ndarray  # [B, H]
    activation: np.ndarray  # [B, H]
    probabilities: np.ndarray  # [B, C]


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """Row-wise log-softmax, safe for logits of any size."""
    centred = logits - np.amax(logits, axis=-1, keepdims=True)
    return centred - np.log(np.exp(centred).sum(axis=-1, keepdims=True))


def _relu(z: np.ndarray) -> np.ndarray:
    return np.where(z > 0, z, np.zeros_like(z))


def forward(
    X: np.ndarray, y: np.ndarray, W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray
) -> tuple[np.floating, ForwardCache]:
    pre_activation = X @ W1 + b1
    activation = _relu(pre_activation)
    log_probabilities = _log_softmax(activation @ W2 + b2)
    true_class = np.take_along_axis(log_probabilities, y[:, None].astype(np.intp), axis=1)
    cache = ForwardCache(
        inputs=X,
        labels=y,
        w_hidden=W1,
        w_output=W2,
        pre_activation=pre_activation,
        activation=activation,
        probabilities=np.exp(log_probabilities),
    )
    return -true_class.mean(), cache


def backward(cache: ForwardCache) -> dict[str, np.ndarray]:
    batch_size = cache.inputs.shape[0]
    classes = np.arange(cache.probabilities.shape[1])
    targets = cache.labels[:, None] == classes[None, :]  # [B, C] booleans

    d_logits = (cache.probabilities - targets) / batch_size  # [B, C]
    d_activation = d_logits @ cache.w_output.T  # [B, H]
    d_pre = np.where(cache.pre_activation > 0, d_activation, np.zeros_like(d_activation))

    return {
        "W1": cache.inputs.T @ d_pre,  # [D, H]
        "b1": d_pre.sum(axis=0),  # [H]
        "W2": cache.activation.T @ d_logits,  # [H, C]
        "b2": d_logits.sum(axis=0),  # [C]
        "X": d_pre @ cache.w_hidden.T,  # [B, D]
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    """torch.autograd.grad hands the gradients back and leaves nothing in .grad."""
    names = ("W1", "b1", "W2", "b2", "X")
    leaves = [torch.tensor(a).requires_grad_() for a in (W1, b1, W2, b2, X)]
    w1, bias1, w2, bias2, x = leaves
    logits = torch.addmm(bias2, torch.relu(torch.addmm(bias1, x, w1)), w2)
    loss = nn.functional.cross_entropy(logits, torch.tensor(y, dtype=torch.long))
    return loss, dict(zip(names, torch.autograd.grad(loss, leaves)))


def max_relative_error(a: np.ndarray, b: np.ndarray) -> float:
    scale = max(float(np.abs(a).max()), float(np.abs(b).max()), np.finfo(np.float64).tiny)
    return float(np.abs(a - b).max()) / scale


def verify(X, y, W1, b1, W2, b2) -> bool:
    _, cache = forward(X, y, W1, b1, W2, b2)
    by_hand = backward(cache)
    _, by_autograd = torch_forward_backward(X, y, W1, b1, W2, b2)
    tolerance = {np.dtype(np.float64): 1e-11, np.dtype(np.float32): 1e-4}[X.dtype]
    return all(
        by_hand[name].shape == tuple(by_autograd[name].shape)
        and max_relative_error(by_hand[name], np.asarray(by_autograd[name])) < tolerance
        for name in ("W1", "b1", "W2", "b2", "X")
    )
