"""All shapes: X [B, D], Z1 and H1 [B, H], Z2 and P [B, C], loss ()."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

ORDER = ("W1", "b1", "W2", "b2", "X")


def forward(X, y, W1, b1, W2, b2):
    Z1 = np.einsum("bd,dh->bh", X, W1) + b1
    H1 = np.maximum(Z1, 0)
    Z2 = np.einsum("bh,hc->bc", H1, W2) + b2
    shifted = Z2 - Z2.max(1, keepdims=True)
    logZ = np.log(np.exp(shifted).sum(1))
    rows = np.arange(X.shape[0])
    return (logZ - shifted[rows, y]).mean(), (X, y, W1, W2, Z1, H1, shifted - logZ[:, None])


def backward(cache):
    X, y, W1, W2, Z1, H1, logP = cache
    dZ2 = np.exp(logP)
    dZ2[np.arange(y.size), y] -= 1
    dZ2 *= 1 / y.size
    dZ1 = np.einsum("bc,hc->bh", dZ2, W2) * np.heaviside(Z1, 0)
    return dict(
        zip(ORDER, (X.T @ dZ1, dZ1.sum(0), H1.T @ dZ2, dZ2.sum(0), np.einsum("bh,dh->bd", dZ1, W1)))
    )


def torch_forward_backward(X, y, W1, b1, W2, b2):
    given = dict(W1=W1, b1=b1, W2=W2, b2=b2, X=X)
    leaf = {k: torch.tensor(v).requires_grad_() for k, v in given.items()}
    logits = (leaf["X"] @ leaf["W1"] + leaf["b1"]).clamp(min=0) @ leaf["W2"] + leaf["b2"]
    loss = cross_entropy(logits, torch.tensor(y, dtype=torch.int64), reduction="mean")
    loss.backward()
    return loss.item(), {k: leaf[k].grad.numpy() for k in ORDER}


def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return {k: bool(np.abs(mine[k] - theirs[k]).max() < 1e-10) for k in ORDER}


class Layer:
    """forward keeps what backward needs; parameters have their gradients beside them."""

    def forward(self, *inputs):
        raise NotImplementedError

    def backward(self, upstream):
        raise NotImplementedError


class Linear(Layer):
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.dW, self.db = None, None

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, upstream):
        self.dW = self.x.T @ upstream
        return upstream @ self.W.T


class ReLU(Layer):
    def forward(self, x):
        self.on = np.heaviside(x, 0)
        return x * self.on

    def backward(self, upstream):
        return upstream * self.on


class SoftmaxCrossEntropy(Layer):
    def forward(self, logits, y):
        shifted = logits - logits.max(0)
        self.P, self.y = np.exp(shifted) / np.exp(shifted).sum(0), y
        return -np.log(self.P[np.arange(y.size), y]).mean()

    def backward(self):
        grad = self.P.copy()
        grad[np.arange(self.y.size), self.y] -= 1
        return grad / self.y.size
