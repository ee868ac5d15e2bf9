"""Backprop, written the way I would explain it at a whiteboard: one example at a time."""
import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    # work in double precision throughout, it is safer
    X, W1, b1, W2, b2 = (np.array(a, dtype=np.float64) for a in (X, W1, b1, W2, b2))
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    logP = Z2 - np.log(np.exp(Z2).sum(axis=1, keepdims=True))
    loss = -np.mean(logP[np.arange(len(y)), y])
    return loss, (X, y, W1, W2, Z1, H1, np.exp(logP))


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    B, D = X.shape
    H, C = W2.shape

    dW1, db1 = np.zeros((D, H)), np.zeros(H)
    dW2, db2 = np.zeros((H, C)), np.zeros(C)
    dX = np.zeros((B, D))

    for i in range(B):
        # gradient of this example's share of the mean
        dz2 = P[i].copy()
        dz2[y[i]] -= 1
        dz2 /= B
        db2 += dz2
        for j in range(H):
            dW2[j] += H1[i, j] * dz2
            if Z1[i, j] > 0:
                dz1 = 0.0
                for k in range(C):
                    dz1 += W2[j, k] * dz2[k]
                db1[j] += dz1
                dW1[:, j] += dz1 * X[i]
                dX[i] += dz1 * W1[:, j]

    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X = torch.tensor(X, requires_grad=True)
    W1 = torch.tensor(W1, requires_grad=True)
    b1 = torch.tensor(b1, requires_grad=True)
    W2 = torch.tensor(W2, requires_grad=True)
    b2 = torch.tensor(b2, requires_grad=True)
    loss = F.cross_entropy(F.relu(X @ W1 + b1) @ W2 + b2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    tloss, ref = torch_forward_backward(X, y, W1, b1, W2, b2)
    tol = 1e-9 if X.dtype == np.float64 else 1e-4
    for k in ("W1", "b1", "W2", "b2", "X"):
        r = np.asarray(ref[k])
        if mine[k].shape != r.shape or np.abs(mine[k] - r).max() > tol * np.abs(r).max():
            return False
    return bool(abs(loss - float(tloss)) < tol)
