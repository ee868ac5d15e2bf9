"""Tiny two-layer network.

Convention used throughout: rows are examples.
"""
import numpy as np
import torch
import torch.nn.functional as F

NAMES = ["W1", "b1", "W2", "b2", "X"]


def forward(X, y, W1, b1, W2, b2):
    """Return (mean loss, cache).

    Z1, H1: [B, H]; Z2: [B, C]; loss: scalar.
    """
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2

    # log-sum-exp, shifted by the row maximum
    row_max = np.max(Z2, axis=1, keepdims=True)
    exp = np.exp(Z2 - row_max)
    norm = exp.sum(axis=1, keepdims=True)
    true_logit = Z2[np.arange(y.shape[0]), y]
    loss = np.mean(row_max[:, 0] + np.log(norm[:, 0]) - true_logit)

    return loss, (X, y, W1, W2, Z1, H1, exp / norm)


def backward(cache):
    """Gradients of the mean loss for W1, b1, W2, b2 and X."""
    X, y, W1, W2, Z1, H1, probs = cache
    B = X.shape[0]

    # d loss / d Z2 = (softmax - onehot) / B
    dZ2 = probs.copy()
    dZ2[np.arange(B), y] -= 1.0
    dZ2 = dZ2 / B

    dW2 = H1.T @ dZ2
    db2 = dZ2.sum(axis=0)

    dZ1 = dZ2 @ W2.T
    dZ1[Z1 <= 0] = 0.0          # 0 at z = 0

    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    dX = dZ1 @ W1.T
    return dict(zip(NAMES, (dW1, db1, dW2, db2, dX)))


def torch_forward_backward(X, y, W1, b1, W2, b2):
    """The same with autograd. New leaves each call, so nothing accumulates."""
    leaves = {n: torch.tensor(a, requires_grad=True) for n, a in zip(NAMES, (W1, b1, W2, b2, X))}
    hidden = torch.relu(leaves["X"] @ leaves["W1"] + leaves["b1"])
    logits = hidden @ leaves["W2"] + leaves["b2"]
    loss = F.cross_entropy(logits, torch.as_tensor(y, dtype=torch.long), reduction="mean")
    loss.backward()
    return loss.item(), {n: t.grad.numpy() for n, t in leaves.items()}


def verify(X, y, W1, b1, W2, b2, rtol=1e-5, atol=1e-7):
    """True when all five gradients agree."""
    _, cache = forward(X, y, W1, b1, W2, b2)
    manual = backward(cache)
    _, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    return all([np.allclose(manual[n], auto[n], rtol=rtol, atol=atol)] for n in NAMES)


if __name__ == "__main__":
    rng = np.random.default_rng(99)
    B, D, H, C = 20, 10, 30, 6
    ok = verify(
        X=rng.standard_normal((B, D)),
        y=rng.integers(0, C, size=B),
        W1=rng.standard_normal((D, H)) * 0.2,
        b1=rng.standard_normal(H) * 0.2,
        W2=rng.standard_normal((H, C)) * 0.2,
        b2=rng.standard_normal(C) * 0.2,
    )
    print("PASS" if ok else "FAIL")
