"""Answer with layers that keep what they need on the class: two of a kind overwrite each other."""

import numpy as np
import torch
from torch.nn import functional as F

NAMES = ["W1", "b1", "W2", "b2", "X"]


def log_softmax(Z):
    Z = Z - np.max(Z, axis=-1, keepdims=True)
    return Z - np.log(np.sum(np.exp(Z), axis=-1, keepdims=True))


def forward(X, y, W1, b1, W2, b2):
    Z1 = np.einsum("bd,dh->bh", X, W1) + b1
    mask = Z1 > 0
    H1 = Z1 * mask
    logP = log_softmax(np.einsum("bh,hc->bc", H1, W2) + b2)
    loss = -np.take_along_axis(logP, np.asarray(y, int)[:, None], axis=1).mean()
    return loss, (X, y, W1, W2, mask, H1, logP)


def backward(cache):
    X, y, W1, W2, mask, H1, logP = cache
    dZ2 = (np.exp(logP) - np.eye(logP.shape[1], dtype=logP.dtype)[y]) / logP.shape[0]
    dZ1 = np.einsum("bc,hc->bh", dZ2, W2) * mask
    return {
        "W1": np.einsum("bd,bh->dh", X, dZ1),
        "b1": np.einsum("bh->h", dZ1),
        "W2": np.einsum("bh,bc->hc", H1, dZ2),
        "b2": np.einsum("bc->c", dZ2),
        "X": np.einsum("bh,dh->bd", dZ1, W1),
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    W1, b1, W2, b2, X = (torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X))
    loss = F.nll_loss(F.log_softmax(F.relu(X @ W1 + b1) @ W2 + b2, dim=1), torch.tensor(y).long())
    loss.backward()
    return loss.item(), {n: t.grad for n, t in zip(NAMES, (W1, b1, W2, b2, X))}


def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return {n: bool(np.allclose(mine[n], theirs[n].numpy(), rtol=1e-7, atol=1e-11)) for n in NAMES}


class Linear:
    x = None

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        Linear.x = x
        return x @ self.W + self.b

    def backward(self, upstream):
        self.dW = Linear.x.T @ upstream
        self.db = upstream.sum(axis=0)
        return upstream @ self.W.T


class ReLU:
    def forward(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, 0.0)

    def backward(self, upstream):
        return np.where(self.mask, upstream, 0.0)


class SoftmaxCrossEntropy:
    def forward(self, logits, y):
        self.logP, self.y = log_softmax(logits), y
        return -self.logP[np.arange(len(y)), y].mean()

    def backward(self):
        return (np.exp(self.logP) - np.eye(self.logP.shape[1])[self.y]) / len(self.y)
