"""Two-layer net.  Run the file to compare the gradients with finite differences."""
import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1                       # [B, H]
    H1 = np.maximum(Z1, 0)                 # [B, H]
    Z2 = H1 @ W2 + b2                      # [B, C]
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    lse = np.log(np.exp(Z2).sum(axis=1))   # [B]
    loss = (lse - Z2[np.arange(len(y)), y]).mean()  # scalar
    return loss, (X, y, W1, W2, Z1, H1, np.exp(Z2 - lse[:, None]))


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = P.copy()                         # [B, C]
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)          # [B, H]
    return {
        "W1": X.T @ dZ1,                   # [D, H]
        "b1": dZ1.sum(axis=0),             # [H]
        "W2": H1.T @ dZ2,                  # [H, C]
        "b2": dZ2.sum(axis=0),             # [C]
        "X": dZ1 @ W1.T,                   # [B, D]
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    w1, c1, w2, c2, x = leaves
    loss = F.cross_entropy(torch.relu(x @ w1 + c1) @ w2 + c2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {k: t.grad.numpy() for k, t in zip(("W1", "b1", "W2", "b2", "X"), leaves)}


def verify(X, y, W1, b1, W2, b2):
    by_hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    by_torch = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.allclose(by_hand[k], by_torch[k], rtol=1e-8, atol=1e-12) for k in by_hand)


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    B, D, H, C = 6, 4, 5, 3
    data = {
        "X": rng.normal(size=(B, D)), "y": rng.integers(0, C, B),
        "W1": rng.normal(size=(D, H)), "b1": rng.normal(size=H),
        "W2": rng.normal(size=(H, C)), "b2": rng.normal(size=C),
    }
    grads = backward(forward(**data)[1])
    eps = 1e-6
    for name in grads:
        numeric = np.zeros_like(grads[name])
        for i in np.ndindex(numeric.shape):
            data[name][i] += eps
            above = forward(**data)[0]
            data[name][i] -= 2 * eps
            numeric[i] = (above - forward(**data)[0]) / (2 * eps)
        error = np.abs(numeric - grads[name]).max() / np.abs(numeric).max()
        print(f"{name}: {error:.1e}")
        assert error < 1e-3, name
