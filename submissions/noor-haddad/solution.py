import numpy as np
import torch
import torch.nn.functional as F

# Notation follows the sheet: X [B,D], W1 [D,H], b1 [H], W2 [H,C], b2 [C]


def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(p, y):
    return -np.log(p[np.arange(len(y)), y]).mean()


def forward(X, y, W1, b1, W2, b2):
    z1 = X @ W1 + b1          # [B,H]
    h1 = np.maximum(0, z1)    # [B,H]
    p = softmax(h1 @ W2 + b2) # [B,C]
    return cross_entropy(p, y), (X, y, W1, W2, z1, h1, p)


def backward(cache):
    X, y, W1, W2, z1, h1, p = cache
    n = len(y)

    d2 = p.copy()
    d2[np.arange(n), y] -= 1
    d2 /= n                   # [B,C]
    d1 = d2 @ W2.T            # [B,H]
    d1[z1 <= 0] = 0           # relu

    return {
        "W2": h1.T @ d2,
        "b2": d2.sum(axis=0),
        "W1": X.T @ d1,
        "b1": d1.sum(axis=0),
        "X": d1 @ W1.T,
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X = torch.tensor(X, requires_grad=True)
    W1 = torch.tensor(W1, requires_grad=True)
    b1 = torch.tensor(b1, requires_grad=True)
    W2 = torch.tensor(W2, requires_grad=True)
    b2 = torch.tensor(b2, requires_grad=True)
    out = torch.matmul(torch.relu(torch.matmul(X, W1) + b1), W2) + b2
    loss = F.cross_entropy(out, torch.from_numpy(y).long())
    loss.backward()
    grads = {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}
    return loss.item(), {k: g.numpy() for k, g in grads.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    ours = backward(cache)
    tloss, theirs = torch_forward_backward(X, y, W1, b1, W2, b2)
    if not np.isclose(loss, float(tloss)):
        return False
    for k in ("W1", "b1", "W2", "b2", "X"):
        ref = np.asarray(theirs[k])
        if not np.allclose(ours[k], ref, rtol=1e-6, atol=1e-7 * np.abs(ref).max()):
            return False
    return True
