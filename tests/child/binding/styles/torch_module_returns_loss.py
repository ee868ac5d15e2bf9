"""A NumPy class and a torch module of the same shape; forward(x, y) gives the loss."""

import numpy as np
import torch
from torch import nn


class NumpyMLP:
    def __init__(self, sizes):
        d, h, c = sizes
        self.fc1 = {"weight": np.random.randn(h, d), "bias": np.zeros(h)}
        self.fc2 = {"weight": np.random.randn(c, h), "bias": np.zeros(c)}
        self.grads = {}

    def __call__(self, x, y):
        return self.forward(x, y)

    def forward(self, x, y):
        self.x, self.y = x, y
        self.z = x @ self.fc1["weight"].T + self.fc1["bias"]
        self.h = np.maximum(self.z, 0)
        out = self.h @ self.fc2["weight"].T + self.fc2["bias"]
        out = out - out.max(1, keepdims=True)
        self.logp = out - np.log(np.exp(out).sum(1, keepdims=True))
        return -self.logp[np.arange(len(y)), y].mean()

    def backward(self):
        d = np.exp(self.logp)
        d[np.arange(len(self.y)), self.y] -= 1
        d /= len(self.y)
        self.grads["fc2.weight"] = d.T @ self.h
        self.grads["fc2.bias"] = d.sum(0)
        d = d @ self.fc2["weight"] * (self.z > 0)
        self.grads["fc1.weight"] = d.T @ self.x
        self.grads["fc1.bias"] = d.sum(0)
        self.grads["x"] = d @ self.fc1["weight"]
        return self.grads


class TorchMLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        d, h, c = sizes
        self.net = nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, c))

    def forward(self, x, y):
        return nn.functional.cross_entropy(self.net(x), y)
