"""Two-layer classifier, once by hand and once with autograd."""

import numpy as np
import torch
from torch import nn

NAMES = ("W1", "b1", "W2", "b2", "X")


def activation(z):
    return np.clip(z, 0, 6)


def activation_slope(z):
    return (z > 0) & (z < 6)


def forward(X, y, W1, b1, W2, b2):
    pre = X @ W1 + b1  # [B, H]
    hidden = activation(pre)  # [B, H]
    logits = hidden @ W2 + b2  # [B, C]
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[np.arange(len(y)), y].mean()
    return loss, (X, y, W1, W2, pre, hidden, np.exp(log_p))


def backward(cache):
    X, y, W1, W2, pre, hidden, p = cache
    rows = np.arange(len(y))
    d_logits = p.copy()
    d_logits[rows, y] -= 1
    d_logits /= len(y)
    d_pre = (d_logits @ W2.T) * activation_slope(pre)
    return {
        "W1": X.T @ d_pre,
        "b1": d_pre.sum(axis=0),
        "W2": hidden.T @ d_logits,
        "b2": d_logits.sum(axis=0),
        "X": d_pre @ W1.T,
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    w1, c1, w2, c2, x = leaves
    logits = (x @ w1 + c1).relu() @ w2 + c2
    loss = nn.functional.cross_entropy(logits, torch.as_tensor(y).long())
    loss.backward()
    return loss.item(), {n: leaf.grad for n, leaf in zip(NAMES, leaves)}


def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    tight = 1e-9 if X.dtype == np.float64 else 1e-4
    return all(np.allclose(mine[n], theirs[n].numpy(), rtol=tight, atol=tight) for n in NAMES)
