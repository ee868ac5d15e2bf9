import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    Y = np.zeros_like(Z2)
    Y[np.arange(len(y)), y] = 1
    shifted = Z2 - Z2.max(axis=1, keepdims=True)
    logP = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -(Y * logP).sum(axis=1).mean()
    return loss, {"X": X, "Y": Y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": np.exp(logP)}


def backward(cache):
    X, Y, H1 = cache["X"], cache["Y"], cache["H1"]
    dZ2 = (cache["P"] - Y) / X.shape[0]
    dW2 = H1.T @ dZ2
    db2 = dZ2
    dZ1 = (dZ2 @ cache["W2"].T) * (cache["Z1"] > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1
    dX = dZ1 @ cache["W1"].T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    xs = {k: torch.tensor(v, requires_grad=True) for k, v in (("X", X), ("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2))}
    a = xs["X"] @ xs["W1"] + xs["b1"]
    h = torch.where(a > 0, a, torch.zeros_like(a))
    loss = F.cross_entropy(h @ xs["W2"] + xs["b2"], torch.tensor(y).long())
    loss.backward()
    return loss.item(), {k: v.grad for k, v in xs.items()}


def verify(X, y, W1, b1, W2, b2):
    hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    auto = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(hand[k].shape == tuple(auto[k].shape) and np.allclose(hand[k], auto[k].numpy()) for k in hand)
