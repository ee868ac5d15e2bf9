import numpy as np
import torch
from torch.nn import functional as F


def softmax(Z):
    E = np.exp(Z - Z.max(axis=0))
    return E / E.sum(axis=0)


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = Z1 * (Z1 > 0)
    Z2 = H1 @ W2 + b2
    P = softmax(Z2)
    Y = np.zeros_like(P)
    Y[np.arange(len(y)), y] = 1
    loss = -np.sum(Y * np.log(P)) / len(y)
    return loss, (X, Y, W1, W2, Z1, H1, P)


def backward(cache):
    X, Y, W1, W2, Z1, H1, P = cache
    N = X.shape[0]
    dZ2 = (P - Y) / N
    dW2 = H1.T @ dZ2
    db2 = dZ2.sum(axis=0)
    dZ1 = dZ2 @ W2.T * (Z1 > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    dX = dZ1 @ W1.T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    params = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    w1, c1, w2, c2, x = params
    out = F.linear(F.relu(F.linear(x, w1.t(), c1)), w2.t(), c2)
    loss = F.cross_entropy(out, torch.tensor(y, dtype=torch.long))
    g = torch.autograd.grad(loss, params)
    return loss.item(), dict(zip(("W1", "b1", "W2", "b2", "X"), g))


def verify(X, y, W1, b1, W2, b2):
    g = backward(forward(X, y, W1, b1, W2, b2)[1])
    t = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    report = {k: bool(np.allclose(g[k], t[k].numpy())) for k in g}
    return report
