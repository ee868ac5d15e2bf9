import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    """forward pass, everything batched"""
    z1 = X @ W1 + b1                                     # (B, H)
    a1 = np.maximum(z1, 0)                               # (B, H)
    z2 = a1 @ W2 + b2                                    # (B, C)
    z2 = z2 - z2.max(axis=1, keepdims=True)
    logp = z2 - np.log(np.exp(z2).sum(axis=1, keepdims=True))
    loss = -np.mean(logp[:, y])
    return loss, (X, y, W1, W2, z1, a1, np.exp(logp))


def backward(cache):
    X, y, W1, W2, z1, a1, p = cache
    m = X.shape[0]
    onehot = np.zeros_like(p)
    onehot[np.arange(m), y] = 1
    dz2 = (p - onehot) / m
    dW2 = a1.T @ dz2
    db2 = dz2.sum(axis=0)
    da1 = dz2 @ W2.T
    dz1 = da1 * (z1 > 0)
    dW1 = X.T @ dz1
    db1 = dz1.sum(axis=0)
    dX = dz1 @ W1.T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def to_leaf(a):
    # torch likes float32
    return torch.from_numpy(a).float().clone().requires_grad_(True)


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = to_leaf(X), to_leaf(W1), to_leaf(b1), to_leaf(W2), to_leaf(b2)
    h = F.relu(X @ W1 + b1)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, torch.from_numpy(y).long())
    loss.backward()
    grads = {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}
    return loss.detach(), grads


def verify(X, y, W1, b1, W2, b2):
    _, cache = forward(X, y, W1, b1, W2, b2)
    g_np = backward(cache)
    _, g_t = torch_forward_backward(X, y, W1, b1, W2, b2)
    worst = 0
    for k in ["W1", "b1", "W2", "b2", "X"]:
        ref = np.asarray(g_t[k])
        assert ref.shape == g_np[k].shape, k
        worst = max(worst, np.abs(g_np[k] - ref).max() / np.abs(ref).max())
    print("worst relative difference:", worst)
    return worst < 1e-4
