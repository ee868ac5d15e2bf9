"""The biases folded into the matrices, by a column of ones."""

import numpy as np
import torch


def with_ones(A):
    return np.hstack([A, np.ones((A.shape[0], 1), dtype=A.dtype)])


def forward(X, y, W1, b1, W2, b2):
    V1 = np.vstack([W1, b1])
    V2 = np.vstack([W2, b2])
    Xa = with_ones(X)
    Z1 = Xa @ V1
    H1 = np.maximum(Z1, 0)
    Ha = with_ones(H1)
    Z2 = Ha @ V2
    S = Z2 - Z2.max(axis=1, keepdims=True)
    logP = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    loss = -logP[np.arange(len(y)), y].mean()
    return loss, (Xa, y, V1, V2, Z1, Ha, np.exp(logP))


def backward(cache):
    Xa, y, V1, V2, Z1, Ha, P = cache
    B = Xa.shape[0]
    Y = np.zeros_like(P)
    Y[np.arange(B), y] = 1
    dZ2 = (P - Y) / B
    dV2 = Ha.T @ dZ2
    dH1 = dZ2 @ V2[:-1].T
    dZ1 = dH1 * (Z1 > 0)
    dV1 = Xa.T @ dZ1
    dX = dZ1 @ V1[:-1].T
    return {"W1": dV1[:-1], "b1": dV1[-1], "W2": dV2[:-1], "b2": dV2[-1], "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
    x, w1, c1, w2, c2 = leaves
    H1 = torch.maximum(x @ w1 + c1, torch.zeros(()))
    logits = H1 @ w2 + c2
    log_p = torch.log_softmax(logits, dim=1)
    loss = -log_p[torch.arange(len(y)), torch.tensor(y).long()].mean()
    loss.backward()
    gX, gW1, gb1, gW2, gb2 = (leaf.grad for leaf in leaves)
    return loss.item(), {"W1": gW1, "b1": gb1, "W2": gW2, "b2": gb2, "X": gX}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    torch_loss, theirs = torch_forward_backward(X, y, W1, b1, W2, b2)
    tol = 1e-10 if X.dtype == np.float64 else 1e-4
    ok = bool(abs(loss - torch_loss) <= tol * max(1.0, abs(torch_loss)))
    for name in ("W1", "b1", "W2", "b2", "X"):
        a, b = mine[name], theirs[name].numpy()
        ok = ok and a.shape == b.shape and bool(np.abs(a - b).max() <= tol * np.abs(b).max())
    return ok
