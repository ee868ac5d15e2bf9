import numpy as np
import torch
from torch.nn import functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    logP = Z2 - np.log(np.exp(Z2).sum(axis=1, keepdims=True))
    loss = -logP[np.arange(len(y)), y].mean()
    cache = (X, y, W1, W2, Z1, H1, np.exp(logP))
    return loss, cache


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    B = X.shape[0]
    dZ2 = P.copy()
    dZ2[np.arange(B), y] -= 1
    dZ2 /= B
    dW2 = H1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dH1 = dZ2 @ W2.T
    dZ1 = dH1 * (Z1 > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    dX = dZ1 @ W1.T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
    loss = F.cross_entropy(F.relu(X @ W1 + b1) @ W2 + b2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    _, cache = forward(X, y, W1, b1, W2, b2)
    a = backward(cache)
    _, b = torch_forward_backward(X, y, W1, b1, W2, b2)
    return all(np.allclose(a[k], np.asarray(b[k])) for k in ("W1", "b1", "W2", "b2", "X"))
