# zadanie: backprop, T. Nowak
import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    LSE = np.log(np.exp(Z2).sum(axis=1, keepdims=True))
    loss = np.mean(LSE[:, 0] - Z2[np.arange(len(y)), y])
    return loss, {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1,
                  "P": np.exp(Z2 - LSE)}


def backward(cache):
    X, y, W1, W2 = (cache[k] for k in ("X", "y", "W1", "W2"))
    Z1, P = cache["Z1"], cache["P"]
    B = len(y)
    dZ2 = P.copy()
    dZ2[np.arange(B), y] -= 1
    dZ2 /= B
    db2 = dZ2.sum(axis=0)  # (C,)
    dW2 = Z1.T @ dZ2
    dH1 = dZ2 @ W2.T       # (B, H)
    dZ1 = dH1 * (Z1 > 0)
    db1 = dZ1.sum(axis=0)  # (H,)
    dW1 = X.T @ dZ1        # (H, D)
    dX = dZ1 @ W1.T        # (B, D)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = [torch.tensor(t, requires_grad=True) for t in (X, W1, b1, W2, b2)]
    loss = F.cross_entropy(F.relu(X @ W1 + b1) @ W2 + b2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    _, cache = forward(X, y, W1, b1, W2, b2)
    g = backward(cache)
    _, t = torch_forward_backward(X, y, W1, b1, W2, b2)
    for k in ("W1", "b1", "W2", "b2", "X"):
        diff = np.abs(g[k] - np.asarray(t[k])).max()
        print(k, "max diff", diff, "OK" if diff < 1e-8 else "check this one")
    return True
