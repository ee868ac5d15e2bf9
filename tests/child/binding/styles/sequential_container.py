"""Layers with weights [out, in] in a container that is built with them."""

import numpy as np


class Dense:
    def __init__(self, n_in, n_out):
        self.weight = np.random.uniform(-0.1, 0.1, (n_out, n_in))
        self.bias = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.weight.T + self.bias

    def backward(self, grad):
        self.grad_weight = grad.T @ self.x
        self.grad_bias = grad.sum(axis=0)
        return grad @ self.weight


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, grad):
        return grad * (self.x > 0)


class Network:
    def __init__(self, input_size, hidden_size, num_classes):
        self.layers = [Dense(input_size, hidden_size), ReLU(), Dense(hidden_size, num_classes)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad


def softmax_cross_entropy(logits, y):
    s = logits - logits.max(axis=1, keepdims=True)
    logp = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    n = len(y)
    dlogits = np.exp(logp)
    dlogits[np.arange(n), y] -= 1
    return -logp[np.arange(n), y].mean(), dlogits / n
