import numpy as np
import torch
import torch.nn.functional as F


class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.dW, self.db = np.zeros_like(W), np.zeros_like(b)

    def __call__(self, x):
        self.x = x
        return x @ self.W + self.b

    def back(self, d):
        self.dW += self.x.T @ d
        self.db += d.sum(axis=0)
        return d @ self.W.T


def forward(X, y, W1, b1, W2, b2):
    one, two = Dense(W1, b1), Dense(W2, b2)
    Z1 = one(X)
    H1 = np.maximum(Z1, 0)
    Z2 = two(H1)
    S = Z2 - Z2.max(axis=1, keepdims=True)
    logP = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    return -logP[np.arange(len(y)), y].mean(), (one, two, Z1, logP, y)


def backward(cache):
    one, two, Z1, logP, y = cache
    d = np.exp(logP)
    d[np.arange(len(y)), y] -= 1
    d = two.back(d / len(y))
    dX = one.back(d * (Z1 > 0))
    return {"W1": one.dW.copy(), "b1": one.db.copy(), "W2": two.dW.copy(), "b2": two.db.copy(), "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (torch.tensor(v, requires_grad=True) for v in (X, W1, b1, W2, b2))
    loss = F.cross_entropy(F.relu(X @ W1 + b1) @ W2 + b2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"X": X.grad, "W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad}


def verify(X, y, W1, b1, W2, b2):
    hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    auto = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.allclose(hand[k], auto[k].numpy(), rtol=1e-7) for k in hand)
