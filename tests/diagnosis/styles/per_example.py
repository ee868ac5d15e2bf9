"""One example at a time, with vectors inside the loop; outer products are added up."""

import numpy as np
import torch
import torch.nn.functional as F


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def forward(X, y, W1, b1, W2, b2):
    B = len(X)
    Z1 = np.empty((B, W1.shape[1]), X.dtype)
    H1 = np.empty_like(Z1)
    P = np.empty((B, W2.shape[1]), X.dtype)
    loss = X.dtype.type(0)
    for i in range(B):
        Z1[i] = X[i] @ W1 + b1
        H1[i] = np.maximum(Z1[i], 0)
        z2 = H1[i] @ W2 + b2
        P[i] = softmax(z2)
        top = z2.max()
        loss += top + np.log(np.exp(z2 - top).sum()) - z2[y[i]]
    loss = loss / B
    return loss, (X, y, W1, W2, Z1, H1, P)


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    B = len(X)
    dW1, dW2 = np.zeros_like(W1), np.zeros_like(W2)
    db1, db2 = np.zeros(W1.shape[1], W1.dtype), np.zeros(W2.shape[1], W2.dtype)
    dX = np.zeros_like(X)
    for i in range(B):
        dz2 = P[i].copy()
        dz2[y[i]] -= 1
        dz2 = dz2 / B
        dW2 += np.outer(H1[i], dz2)
        db2 += dz2
        dh1 = W2 @ dz2
        dz1 = dh1 * (Z1[i] > 0)
        dW1 += np.outer(X[i], dz1)
        db1 += dz1
        dX[i] = W1 @ dz1
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X = torch.tensor(X, requires_grad=True)
    W1 = torch.tensor(W1, requires_grad=True)
    b1 = torch.tensor(b1, requires_grad=True)
    W2 = torch.tensor(W2, requires_grad=True)
    b2 = torch.tensor(b2, requires_grad=True)
    target = torch.tensor(y).long()
    losses = []
    for i in range(len(target)):
        hidden = torch.relu(X[i] @ W1 + b1)
        logits = hidden @ W2 + b2
        losses.append(F.cross_entropy(logits[None], target[i : i + 1]))
    loss = torch.stack(losses).mean()
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    tol = 1e-10 if X.dtype == np.float64 else 1e-4
    for name in ("W1", "b1", "W2", "b2", "X"):
        a, b = np.asarray(mine[name]), theirs[name].numpy()
        if a.shape != b.shape or np.abs(a - b).max() > tol * np.abs(b).max():
            return False
    return True
