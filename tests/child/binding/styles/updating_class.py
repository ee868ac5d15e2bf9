"""A class whose backward steps the weights and returns nothing."""

import numpy as np


class MLP:
    def __init__(self, n_inputs, n_hidden, n_outputs, learning_rate=0.1):
        self.learning_rate = learning_rate
        self.weights = [np.random.randn(n_inputs, n_hidden), np.random.randn(n_hidden, n_outputs)]
        self.biases = [np.zeros(n_hidden), np.zeros(n_outputs)]

    def feedforward(self, x):
        self.x = x
        self.z1 = x @ self.weights[0] + self.biases[0]
        self.h = np.maximum(self.z1, 0.0)
        return self.h @ self.weights[1] + self.biases[1]

    def loss(self, logits, target):
        s = logits - logits.max(1, keepdims=True)
        logp = s - np.log(np.exp(s).sum(1, keepdims=True))
        self.p = np.exp(logp)
        return float(-logp[range(len(target)), target].mean())

    def backprop(self, target):
        n = len(target)
        delta2 = self.p.copy()
        delta2[range(n), target] -= 1.0
        delta2 /= n
        delta1 = (delta2 @ self.weights[1].T) * (self.z1 > 0)
        self.weights[1] -= self.learning_rate * (self.h.T @ delta2)
        self.biases[1] -= self.learning_rate * delta2.sum(0)
        self.weights[0] -= self.learning_rate * (self.x.T @ delta1)
        self.biases[0] -= self.learning_rate * delta1.sum(0)
