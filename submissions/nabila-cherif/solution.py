import numpy as np
import torch
from torch.nn.functional import cross_entropy, relu


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    mx = Z2.max(axis=1, keepdims=True)
    lse = np.log(np.sum(np.exp(Z2 - mx), axis=1)) + mx.squeeze(1)
    loss = np.mean(lse - Z2[np.arange(Z2.shape[0]), y])
    P = np.exp(Z2 - lse.reshape(-1, 1))
    return loss, (X, y, W1, W2, Z1, H1, P)


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    B, C = P.shape
    Y = np.eye(C)[y]
    dZ2 = (Y - P) / B
    dW2 = H1.T @ dZ2
    db2 = dZ2.sum(0)
    dH1 = dZ2 @ W2.T
    dZ1 = dH1 * (Z1 > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(0)
    dX = dZ1 @ W1.T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = {}
    for name, value in (("X", X), ("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2)):
        t[name] = torch.as_tensor(value.copy()).requires_grad_()
    loss = cross_entropy(relu(t["X"] @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"], torch.as_tensor(y).long())
    loss.backward()
    return loss.item(), {name: value.grad for name, value in t.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    tl, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    for name in auto:
        assert np.abs(mine[name] - auto[name].numpy()).max() < 1e-8, name
    assert abs(loss - tl) < 1e-10
