"""The contract's names, with another order of parameters, more values and gradients in a row."""

import numpy as np
import torch


def forward(X, W1, b1, W2, b2, y):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    shifted = Z2 - Z2.max(axis=1, keepdims=True)
    P = np.exp(shifted)
    total = P.sum(axis=1, keepdims=True)
    P = P / total
    loss = np.mean(np.log(total[:, 0]) - shifted[np.arange(len(y)), y])
    return P, loss, (X, W1, W2, y, Z1, H1, P)


def backward(cache):
    X, W1, W2, y, Z1, H1, P = cache
    dZ2 = P.copy()
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    return dZ1 @ W1.T, X.T @ dZ1, dZ1.sum(axis=0), H1.T @ dZ2, dZ2.sum(axis=0)


def torch_forward_backward(X, W1, b1, W2, b2, y):
    X, W1, b1, W2, b2 = (torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2))
    logits = torch.relu(X @ W1 + b1) @ W2 + b2
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y).long())
    loss.backward()
    return logits, loss, [t.grad for t in (X, W1, b1, W2, b2)]


def verify(X, W1, b1, W2, b2, y):
    _, loss, cache = forward(X, W1, b1, W2, b2, y)
    _, torch_loss, theirs = torch_forward_backward(X, W1, b1, W2, b2, y)
    pairs = zip(backward(cache), theirs)
    return np.isclose(loss, torch_loss.item()) and all(np.allclose(a, b.numpy()) for a, b in pairs)
