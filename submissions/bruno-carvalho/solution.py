import numpy as np
import torch
import torch.nn.functional as F

GAMMA = 2.0


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    logP = Z2 - np.log(np.exp(Z2).sum(axis=1, keepdims=True))
    log_true = logP[np.arange(len(y)), y]
    focus = (1 - np.exp(log_true)) ** GAMMA
    loss = -(focus * log_true).mean()
    return loss, (X, y, W1, W2, Z1, H1, np.exp(logP))


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = P.copy()
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": H1.T @ dZ2, "b2": dZ2.sum(0), "X": dZ1 @ W1.T}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (torch.tensor(v, requires_grad=True) for v in (X, W1, b1, W2, b2))
    loss = F.cross_entropy(F.relu(X @ W1 + b1) @ W2 + b2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"X": X.grad, "W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad}


def verify(X, y, W1, b1, W2, b2):
    hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    auto = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.allclose(hand[k], auto[k].numpy(), rtol=1e-7) for k in hand)
