"""
A reusable Layer interface and a small network built on it.

Every layer keeps what it needs from forward and gives, in backward, the
gradient with respect to its input. Parametrised layers also store grads.
"""
from abc import ABC, abstractmethod

import numpy as np
import torch
import torch.nn.functional as F


class Layer(ABC):
    @abstractmethod
    def forward(self, x): ...

    @abstractmethod
    def backward(self, upstream): ...


class Linear(Layer):
    def __init__(self, W, b):
        self.W = W          # [in, out]
        self.b = b          # [out]
        self.dW = None
        self.db = None

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, upstream):
        self.dW = self.x.T @ upstream
        self.db = upstream.sum(axis=0)
        return upstream @ self.W.T


class ReLU(Layer):
    def forward(self, x):
        self.active = x > 0
        return np.where(self.active, x, 0)

    def backward(self, upstream):
        return np.where(self.active, upstream, 0)


class SoftmaxCrossEntropy:
    """Mean cross-entropy on raw logits."""

    def forward(self, logits, y):
        z = logits - logits.max(axis=1, keepdims=True)
        logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        self.probs = np.exp(logp)
        self.y = y
        return -logp[np.arange(y.size), y].mean()

    def backward(self, upstream=1.0):
        grad = self.probs.copy()
        grad[np.arange(self.y.size), self.y] -= 1.0
        return upstream * grad / self.y.size


class Network:
    def __init__(self, layers, criterion):
        self.layers = layers
        self.criterion = criterion

    def forward(self, X, y):
        self.batch_size = X.shape[0]
        out = X
        for layer in self.layers:
            out = layer.forward(out)
        return self.criterion.forward(out, y)

    def backward(self):
        # the loss is an average, each example contributes 1/B
        grad = self.criterion.backward(upstream=1.0 / self.batch_size)
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad


def numpy_pass(X, y, W1, b1, W2, b2):
    first, second = Linear(W1, b1), Linear(W2, b2)
    net = Network([first, ReLU(), second], SoftmaxCrossEntropy())
    loss = net.forward(X, y)
    dX = net.backward()
    return loss, {"W1": first.dW, "b1": first.db, "W2": second.dW, "b2": second.db, "X": dX}


def torch_pass(X, y, W1, b1, W2, b2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    w1, c1, w2, c2, x = leaves
    logits = F.relu(x @ w1 + c1) @ w2 + c2
    loss = F.cross_entropy(logits, torch.tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), dict(zip(["W1", "b1", "W2", "b2", "X"], [t.grad.numpy() for t in leaves]))


def check(X, y, W1, b1, W2, b2):
    loss_np, g_np = numpy_pass(X, y, W1, b1, W2, b2)
    loss_t, g_t = torch_pass(X, y, W1, b1, W2, b2)
    ok = bool(np.isclose(loss_np, loss_t, rtol=1e-5))
    for k in g_t:
        ok &= g_np[k].shape == g_t[k].shape
        ok &= np.allclose(g_np[k], g_t[k], rtol=1e-4, atol=1e-6)
    return ok


if __name__ == "__main__":
    rng = np.random.default_rng(3)
    B, D, H, C = 12, 9, 14, 5
    data = (rng.normal(size=(B, D)), rng.integers(C, size=B),
            rng.normal(size=(D, H)), rng.normal(size=H),
            rng.normal(size=(H, C)), rng.normal(size=C))
    print("match" if check(*data) else "no match")
