"""Two-layer MLP: hand-written backward vs. autograd."""
from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

PARAM_NAMES = ("W1", "b1", "W2", "b2")


def _logsumexp(z: np.ndarray) -> np.ndarray:
    m = z.max(axis=1, keepdims=True)
    return m + np.log(np.exp(z - m).sum(axis=1, keepdims=True))


def forward(X, y, W1, b1, W2, b2):
    B, D = X.shape
    H, C = W2.shape
    assert W1.shape == (D, H) and b1.shape == (H,) and b2.shape == (C,) and y.shape == (B,)

    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    log_probs = Z2 - _logsumexp(Z2)
    loss = -log_probs[np.arange(B), y].mean()
    assert Z1.shape == H1.shape == (B, H) and Z2.shape == (B, C) and np.ndim(loss) == 0
    return loss, (X, y, W1, W2, Z1, H1, np.exp(log_probs))


def backward(cache):
    """Returns (dW1, db1, dW2, db2, dX)."""
    X, y, W1, W2, Z1, H1, probs = cache
    B = X.shape[0]

    dZ2 = probs.copy()
    dZ2[np.arange(B), y] -= 1.0
    dZ2 /= B                       # the only place B appears

    dW2, db2 = H1.T @ dZ2, dZ2.sum(axis=0)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)  # derivative at 0 chosen as 0
    dW1, db1 = X.T @ dZ1, dZ1.sum(axis=0)
    dX = dZ1 @ W1.T
    return dW1, db1, dW2, db2, dX


def torch_forward_backward(X, y, W1, b1, W2, b2):
    """Returns loss and grads in the order of `backward`."""
    W1, b1, W2, b2, X = (torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X))
    logits = F.relu(X @ W1 + b1) @ W2 + b2
    loss = F.cross_entropy(logits, torch.as_tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), tuple(t.grad.numpy() for t in (W1, b1, W2, b2, X))


def verify(X, y, W1, b1, W2, b2, rtol=1e-4, atol=1e-6) -> bool:
    loss, cache = forward(X, y, W1, b1, W2, b2)
    loss_ref, grads_ref = torch_forward_backward(X, y, W1, b1, W2, b2)
    ok = bool(np.isclose(loss, loss_ref, rtol=1e-4, atol=1e-5))
    for name, ours, ref in zip(PARAM_NAMES, backward(cache), grads_ref):
        same = ours.shape == ref.shape and np.allclose(ours, ref, rtol=rtol, atol=atol)
        print(f"d{name:3s} {'ok' if same else 'FAIL'}  max|diff|={np.max(np.abs(ours - ref)):.2e}")
        ok &= same
    return ok


if __name__ == "__main__":
    rng = np.random.default_rng(123)
    B, D, H, C = 6, 5, 8, 3
    assert verify(
        rng.normal(size=(B, D)), rng.integers(0, C, size=B),
        rng.normal(size=(D, H)), rng.normal(size=H),
        rng.normal(size=(H, C)), rng.normal(size=C),
    )
    print("all gradients match")
