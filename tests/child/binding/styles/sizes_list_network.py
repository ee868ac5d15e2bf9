"""Nielsen's Network(sizes): lists of weights [out, in], columns, nabla lists, one-hot targets."""

import numpy as np
import torch


class Network(object):
    def __init__(self, sizes):
        self.num_layers = len(sizes)
        self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
        self.weights = [np.random.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]

    def feedforward(self, a):
        self.activations, self.zs = [a], []
        for w, b in zip(self.weights, self.biases):
            z = w @ a + b
            self.zs.append(z)
            a = np.maximum(z, 0)
            self.activations.append(a)
        return self.zs[-1]

    def cost(self, a, y):
        s = a - a.max(axis=0, keepdims=True)
        return -np.sum(y * (s - np.log(np.exp(s).sum(axis=0, keepdims=True)))) / y.shape[1]

    def backprop(self, x, y):
        self.feedforward(x)
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        e = np.exp(self.zs[-1] - self.zs[-1].max(axis=0, keepdims=True))
        delta = (e / e.sum(axis=0, keepdims=True) - y) / y.shape[1]
        nabla_b[-1] = delta.sum(axis=1, keepdims=True)
        nabla_w[-1] = delta @ self.activations[-2].T
        delta = (self.weights[-1].T @ delta) * (self.zs[-2] > 0)
        nabla_b[-2] = delta.sum(axis=1, keepdims=True)
        nabla_w[-2] = delta @ self.activations[-3].T
        return nabla_b, nabla_w


class TorchNetwork(torch.nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(x, y) for x, y in zip(sizes[:-1], sizes[1:])
        )

    def forward(self, x):
        return self.layers[1](torch.nn.functional.relu(self.layers[0](x)))

    def cost(self, x, y):
        return torch.nn.functional.nll_loss(torch.log_softmax(self(x), dim=1), y)
