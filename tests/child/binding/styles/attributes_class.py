"""A class with weights as attributes; forward, loss and backward keep everything on self."""

import numpy as np
import torch
import torch.nn.functional as F


class NeuralNetwork:
    def __init__(self, input_dim=784, hidden_dim=128, num_classes=10, lr=0.01, seed=42):
        rng = np.random.default_rng(seed)
        self.lr = lr
        self.W1 = rng.normal(size=(input_dim, hidden_dim)) * np.sqrt(2 / input_dim)
        self.b1 = np.zeros((1, hidden_dim))
        self.W2 = rng.normal(size=(hidden_dim, num_classes)) * np.sqrt(2 / hidden_dim)
        self.b2 = np.zeros((1, num_classes))

    def forward(self, X):
        self.X = X
        self.z1 = X @ self.W1 + self.b1
        self.a1 = np.maximum(0, self.z1)
        self.z2 = self.a1 @ self.W2 + self.b2
        return self.z2

    def compute_loss(self, y):
        s = self.z2 - self.z2.max(axis=1, keepdims=True)
        self.log_probs = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
        self.y = y
        return -self.log_probs[np.arange(len(y)), y].mean()

    def backward(self):
        m = self.X.shape[0]
        dz2 = np.exp(self.log_probs)
        dz2[np.arange(m), self.y] -= 1
        dz2 /= m
        self.dW2 = self.a1.T @ dz2
        self.db2 = dz2.sum(axis=0, keepdims=True)
        dz1 = (dz2 @ self.W2.T) * (self.z1 > 0)
        self.dW1 = self.X.T @ dz1
        self.db1 = dz1.sum(axis=0, keepdims=True)
        self.dX = dz1 @ self.W1.T

    def step(self):
        for name in ("W1", "b1", "W2", "b2"):
            setattr(self, name, getattr(self, name) - self.lr * getattr(self, "d" + name))


class TorchNetwork:
    def __init__(self, W1, b1, W2, b2):
        self.W1 = torch.tensor(W1, requires_grad=True)
        self.b1 = torch.tensor(b1, requires_grad=True)
        self.W2 = torch.tensor(W2, requires_grad=True)
        self.b2 = torch.tensor(b2, requires_grad=True)

    def forward(self, X):
        return torch.relu(X @ self.W1 + self.b1) @ self.W2 + self.b2

    def loss(self, X, y):
        return F.cross_entropy(self.forward(X), y)
