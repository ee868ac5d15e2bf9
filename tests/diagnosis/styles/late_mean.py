"""Derived for the sum; each gradient is divided by the batch size at the end."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy, relu


def softmax(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def forward(X, y, W1, b1, W2, b2):
    N = X.shape[0]
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    top = Z2.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(Z2 - top).sum(axis=1)) + top[:, 0]
    correct = Z2[np.arange(N), y]
    loss = (log_sum - correct).sum() / N
    return loss, [X, y, W1, W2, Z1, H1, softmax(Z2)]


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    N = X.shape[0]
    delta2 = P.copy()
    delta2[np.arange(N), y] -= 1.0
    delta1 = (delta2 @ W2.T) * (Z1 > 0)
    dW2 = H1.T @ delta2 / N
    db2 = delta2.sum(axis=0) / N
    dW1 = X.T @ delta1 / N
    db1 = delta1.sum(axis=0) / N
    dX = delta1 @ W1.T / N
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    x, w1, c1, w2, c2 = (torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2))
    hidden = relu(x @ w1 + c1)
    logits = hidden @ w2 + c2
    total = cross_entropy(logits, torch.tensor(y).long(), reduction="sum")
    loss = total / len(y)
    loss.backward()
    return loss.item(), {"W1": w1.grad, "b1": c1.grad, "W2": w2.grad, "b2": c2.grad, "X": x.grad}


def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    tol = 1e-10 if X.dtype == np.float64 else 1e-4
    for name, reference in theirs.items():
        want = np.asarray(reference)
        if mine[name].shape != want.shape:
            return False
        if np.abs(mine[name] - want).max() > tol * np.abs(want).max():
            return False
    return True
