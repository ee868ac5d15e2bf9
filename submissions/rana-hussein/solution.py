import numpy as np
import torch
from torch import nn


def forward(X, y, W1, b1, W2, b2):
    """Everything [B, ...]: one example a row."""
    Z1 = X @ W1 + b1
    H1 = np.clip(Z1, 0, None)
    Z2 = H1 @ W2 + b2
    S = Z2 - np.max(Z2, axis=-1, keepdims=True)
    lse = np.log(np.sum(np.exp(S), axis=-1))
    loss = np.mean(lse - np.take_along_axis(S, y[:, None].astype(int), axis=1)[:, 0])
    return loss, dict(X=X, y=y, W1=W1, W2=W2, Z1=Z1, H1=H1, P=np.exp(S - lse[:, None]))


def backward(cache):
    n = cache["X"].shape[0]
    dZ2 = cache["P"].copy()
    dZ2[np.arange(n), cache["y"]] -= 1.0
    dZ2 *= 1.0 / n
    dW2, db2 = cache["H1"].T @ dZ2, dZ2.sum(0)
    dZ1 = (dZ2 @ cache["W2"].T) * (cache["Z1"] > 0)
    dW1, db1 = cache["X"].T @ dZ1, dZ1.sum(0)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dZ1 @ cache["W1"].T}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (nn.Parameter(torch.tensor(v)) for v in (X, W1, b1, W2, b2))
    logits = torch.relu(X @ W1 + b1) @ W2 + b2
    loss = nn.functional.cross_entropy(logits, torch.tensor(y, dtype=torch.int64))
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    by_hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    by_torch = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    ok = True
    for key in by_hand:
        ok &= bool(np.allclose(by_hand[key], by_torch[key].numpy(), rtol=1e-8, atol=1e-10))
    return ok


def gradient_check(X, y, W1, b1, W2, b2, h=1e-5):
    """Relative error |a - n| / (|a| + |n|) of each entry, against a limit."""
    tensors = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "X": X}
    analytic = backward(forward(y=y, **tensors)[1])
    passed = True
    for key, value in tensors.items():
        numeric = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            plus, minus = value.copy(), value.copy()
            plus[index] += h
            minus[index] -= h
            numeric[index] = forward(y=y, **{**tensors, key: plus})[0] / (2 * h)
            numeric[index] -= forward(y=y, **{**tensors, key: minus})[0] / (2 * h)
        size = np.abs(analytic[key]) + np.abs(numeric)
        error = np.abs(analytic[key] - numeric) / np.maximum(size, 1e-12)
        passed = passed and not error.max() > 1.001
    return passed
