"""As in a notebook: weights, X and y at module level, functions that read them."""

import numpy as np
import torch
import torch.nn.functional as F

rng = np.random.default_rng(0)
N, D, H, C = 8, 6, 5, 4
X, y = rng.normal(size=(N, D)), rng.integers(0, C, N)
W1, b1 = rng.normal(size=(D, H)), np.zeros(H)
W2, b2 = rng.normal(size=(H, C)), np.zeros(C)


def forward(X):
    Z1 = X @ W1 + b1
    A1 = np.maximum(0, Z1)
    return Z1, A1, A1 @ W2 + b2


def loss_fn(logits, y):
    s = logits - logits.max(axis=1, keepdims=True)
    log_probs = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    return -log_probs[np.arange(len(y)), y].mean()


def backward(X, y, Z1, A1, logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    d = e / e.sum(axis=1, keepdims=True)
    d[np.arange(len(y)), y] -= 1
    d /= len(y)
    dZ1 = (d @ W2.T) * (Z1 > 0)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": A1.T @ d, "b2": d.sum(0), "X": dZ1 @ W1.T}


def grads_from_torch(X, y, W1, b1, W2, b2):
    t = [torch.tensor(v, requires_grad=True) for v in (X, W1, b1, W2, b2)]
    loss = F.cross_entropy(torch.relu(t[0] @ t[1] + t[2]) @ t[3] + t[4], torch.tensor(y).long())
    loss.backward()
    return loss.item(), dict(zip(["X", "W1", "b1", "W2", "b2"], [v.grad for v in t]))


Z1, A1, logits = forward(X)
grads = backward(X, y, Z1, A1, logits)
_, theirs = grads_from_torch(X, y, W1, b1, W2, b2)
for name in grads:
    print(name, np.abs(grads[name] - theirs[name].numpy()).max())
