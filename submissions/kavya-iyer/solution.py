import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    """Z1, H1: (B, H); Z2: (B, C); loss: scalar."""
    Z1 = X @ W1 + b1
    H1 = np.where(Z1 > 0, Z1, 0)
    Z2 = H1 @ W2 + b2
    Z = Z2 - Z2.max(axis=1, keepdims=True)
    expZ = np.exp(Z)
    P = expZ / expZ.sum(axis=1, keepdims=True)
    correct = P[np.arange(X.shape[0]), y]
    loss = -np.log2(correct).mean()
    return loss, (X, y, W1, W2, Z1, H1, P)


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    batch = X.shape[0]
    dZ2 = P / batch
    dZ2[np.arange(batch), y] -= 1 / batch
    dW2, db2 = H1.T @ dZ2, dZ2.sum(axis=0)
    dH1 = dZ2 @ W2.T
    dZ1 = np.where(Z1 > 0, dH1, 0)
    dW1, db1 = X.T @ dZ1, dZ1.sum(axis=0)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dZ1 @ W1.T}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X = torch.tensor(X, requires_grad=True)
    W1 = torch.tensor(W1, requires_grad=True)
    b1 = torch.tensor(b1, requires_grad=True)
    W2 = torch.tensor(W2, requires_grad=True)
    b2 = torch.tensor(b2, requires_grad=True)
    loss = F.cross_entropy(F.relu(X @ W1 + b1) @ W2 + b2, torch.tensor(y, dtype=torch.int64))
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    auto = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    for k in ("W1", "b1", "W2", "b2", "X"):
        if not np.allclose(hand[k], auto[k].numpy(), rtol=1e-6, atol=1e-10):
            return False
    return True
