"""A class for MNIST, with its sizes written into the constructor."""

import numpy as np
import matplotlib.pyplot as plt


class MNISTNetwork:
    def __init__(self, lr=0.1):
        self.lr = lr
        self.W1 = np.random.randn(784, 128) * np.sqrt(2 / 784)
        self.b1 = np.zeros((1, 128))
        self.W2 = np.random.randn(128, 10) * np.sqrt(2 / 128)
        self.b2 = np.zeros((1, 10))

    def forward(self, x):
        self.x = x
        self.z1 = x @ self.W1 + self.b1
        self.a1 = np.maximum(self.z1, 0)
        z2 = self.a1 @ self.W2 + self.b2
        z2 = z2 - z2.max(axis=1, keepdims=True)
        self.logp = z2 - np.log(np.exp(z2).sum(axis=1, keepdims=True))
        return self.logp

    def loss(self, logp, y):
        return -logp[np.arange(len(y)), y].mean()

    def backward(self, y):
        d = np.exp(self.logp)
        d[np.arange(len(y)), y] -= 1
        d /= len(y)
        self.dW2 = self.a1.T @ d
        self.db2 = d.sum(axis=0, keepdims=True)
        d = d @ self.W2.T * (self.z1 > 0)
        self.dW1 = self.x.T @ d
        self.db1 = d.sum(axis=0, keepdims=True)

    def step(self):
        for name in ("W1", "b1", "W2", "b2"):
            setattr(self, name, getattr(self, name) - self.lr * getattr(self, "d" + name))
