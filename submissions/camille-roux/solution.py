import numpy as np
import torch
import torch.nn.functional as F
from typing import NamedTuple


class Cache(NamedTuple):
    X: np.ndarray    # [B, D]
    y: np.ndarray    # [B]
    W1: np.ndarray   # [D, H]
    W2: np.ndarray   # [H, C]
    Z1: np.ndarray   # [B, H]
    P: np.ndarray    # [B, C]


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1                                     # [B, H]
    H1 = np.where(Z1 > 0, Z1, 0)                         # [B, H]
    Z2 = H1 @ W2 + b2                                    # [B, C]
    Z2 = Z2 - np.max(Z2, axis=1, keepdims=True)
    total = np.exp(Z2).sum(axis=1, keepdims=True)        # [B, 1]
    loss = (np.log(total[:, 0]) - Z2[np.arange(y.shape[0]), y]).mean()  # scalaire
    return loss, Cache(X, y, W1, W2, Z1, np.exp(Z2) / total)


def backward(cache):
    B, C = cache.P.shape
    dZ2 = (cache.P - np.eye(C, dtype=cache.P.dtype)[cache.y]) / B   # [B, C]
    dW2 = np.maximum(cache.Z1, 0).T @ dZ2                # [H, C]
    dH1 = dZ2 @ cache.W2.T                               # [B, H]
    dZ1 = np.where(cache.Z1 > 0, dH1, 0)                 # [B, H]
    return {"W1": cache.X.T @ dZ1, "b1": dZ1.sum(0), "W2": dW2, "b2": dZ2.sum(0), "X": dZ1 @ cache.W1.T}


class Net(torch.nn.Module):
    def __init__(self, W1, b1, W2, b2):
        super().__init__()
        self.W1, self.b1 = torch.nn.Parameter(W1), torch.nn.Parameter(b1)
        self.W2, self.b2 = torch.nn.Parameter(W2), torch.nn.Parameter(b2)

    def forward(self, x):
        return torch.relu(x @ self.W1 + self.b1) @ self.W2 + self.b2


def torch_forward_backward(X, y, W1, b1, W2, b2):
    net = Net(*(torch.tensor(a) for a in (W1, b1, W2, b2)))
    x = torch.tensor(X, requires_grad=True)
    loss = F.cross_entropy(net(x), torch.tensor(y, dtype=torch.int64))
    loss.backward()
    grads = {name: p.grad for name, p in net.named_parameters()}
    return loss.item(), {**grads, "X": x.grad}


def verify(X, y, W1, b1, W2, b2):
    _, cache = forward(X, y, W1, b1, W2, b2)
    manual = backward(cache)
    _, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    return all(np.allclose(manual[k], auto[k].numpy(), rtol=1e-8, atol=1e-11) for k in manual)


class Affine:
    def __init__(self, W, b):
        self.params = {"W": W, "b": b}
        self.grads = {"W": None, "b": None}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dy):
        self.grads["W"] = self.x.T @ dy
        self.grads["b"] = dy.sum(axis=1)
        return dy @ self.params["W"].T


class ReLU:
    """Leaky, so that no unit dies."""

    def forward(self, x):
        self.slope = np.where(x > 0, 1.0, 0.01)
        return x * self.slope

    def backward(self, dy):
        return dy * self.slope


class SoftmaxCrossEntropy:
    def forward(self, z, y):
        z = z - np.max(z, axis=1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        self.p, self.y = np.exp(log_p), y
        return np.mean(log_p[np.arange(y.shape[0]), y])

    def backward(self):
        B, C = self.p.shape
        dz = (self.p - np.eye(C)[self.y]) / B
        return dz * self.p * (1 - self.p)


class Sequential:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in self.layers[::-1]:
            dy = layer.backward(dy)
        return dy
