"""Float32-careful script style: preallocated out= buffers, in-place steps, masked arrays."""

import numpy as np
import torch


def forward(X, y, W1, b1, W2, b2):
    n = X.shape[0]
    Z1 = np.empty((n, W1.shape[1]), X.dtype)
    np.matmul(X, W1, out=Z1)
    np.add(Z1, b1, out=Z1)
    H1 = np.empty_like(Z1)
    np.maximum(Z1, 0, out=H1)
    L = H1 @ W2
    L += b2
    L -= L.max(axis=1, keepdims=True)
    P = np.exp(L)
    S = P.sum(axis=1, keepdims=True)
    P /= S
    L -= np.log(S)
    flat = np.ravel(L)[np.arange(n) * L.shape[1] + y]
    return -flat.mean(), {"X": X, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": P, "y": y}


def backward(cache):
    X, Z1, H1, P, y = (cache[k] for k in ("X", "Z1", "H1", "P", "y"))
    n = X.shape[0]
    D = np.array(P)
    D.flat[np.arange(n) * P.shape[1] + y] -= 1
    D *= 1 / n
    grads = {"W2": np.matmul(H1.T, D), "b2": np.sum(D, axis=0)}
    U = np.matmul(D, cache["W2"].T)
    U[np.logical_not(Z1 > 0)] = 0
    grads.update(W1=np.matmul(X.T, U), b1=np.sum(U, axis=0), X=np.matmul(U, cache["W1"].T))
    return grads


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = []
    for array in (W1, b1, W2, b2, X):
        leaf = torch.from_numpy(np.array(array))
        leaf.requires_grad = True
        leaves.append(leaf)
    w1, c1, w2, c2, x = leaves
    hidden = torch.threshold(torch.addmm(c1, x, w1), 0, 0)
    scores = torch.addmm(c2, hidden, w2)
    one_hot = torch.zeros_like(scores).scatter_(1, torch.as_tensor(y).long()[:, None], 1)
    loss = torch.nn.functional.cross_entropy(scores, one_hot)
    loss.backward()
    return loss.item(), {n: t.grad.clone() for n, t in zip(("W1", "b1", "W2", "b2", "X"), leaves)}


def verify(X, y, W1, b1, W2, b2):
    g = backward(forward(X, y, W1, b1, W2, b2)[1])
    t = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    ok = True
    for k in ("W1", "b1", "W2", "b2", "X"):
        ok &= torch.allclose(torch.from_numpy(g[k]), t[k], rtol=1e-6, atol=1e-10)
    return ok
