"""Constructor with a list of hidden sizes and a dtype; gradient() is a method of its own."""

import numpy as np
import torch


class FullyConnectedNet:
    def __init__(self, hidden_dims, input_dim=3 * 32 * 32, num_classes=10, reg=0.5, dtype=np.float32):
        self.reg = reg
        self.dtype = dtype
        self.params = {}
        dims = [input_dim, *hidden_dims, num_classes]
        for i in range(len(dims) - 1):
            self.params[f"W{i + 1}"] = (0.01 * np.random.randn(dims[i], dims[i + 1])).astype(dtype)
            self.params[f"b{i + 1}"] = np.zeros(dims[i + 1], dtype=dtype)

    def loss(self, X, y=None):
        X = X.astype(self.dtype)
        p = self.params
        z = X.dot(p["W1"]) + p["b1"]
        h = np.maximum(z, 0)
        scores = h.dot(p["W2"]) + p["b2"]
        if y is None:
            return scores
        n = len(y)
        s = scores - scores.max(axis=1, keepdims=True)
        logp = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
        loss = -logp[np.arange(n), y].sum() / n
        loss += 0.5 * self.reg * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))
        d = np.exp(logp)
        d[np.arange(n), y] -= 1
        d /= n
        grads = {"W2": h.T.dot(d) + self.reg * p["W2"], "b2": d.sum(axis=0)}
        d = d.dot(p["W2"].T) * (z > 0)
        grads["W1"] = X.T.dot(d) + self.reg * p["W1"]
        grads["b1"] = d.sum(axis=0)
        return loss, grads


class TorchNet(torch.nn.Module):
    def __init__(self, input_dim, hidden_dim, num_classes):
        super().__init__()
        self.W1 = torch.nn.Parameter(torch.randn(input_dim, hidden_dim) * 0.01)
        self.b1 = torch.nn.Parameter(torch.zeros(hidden_dim))
        self.W2 = torch.nn.Parameter(torch.randn(hidden_dim, num_classes) * 0.01)
        self.b2 = torch.nn.Parameter(torch.zeros(num_classes))

    def forward(self, x):
        return torch.relu(x @ self.W1 + self.b1) @ self.W2 + self.b2


def torch_loss(model, x, y):
    return torch.nn.CrossEntropyLoss()(model(x), y)
