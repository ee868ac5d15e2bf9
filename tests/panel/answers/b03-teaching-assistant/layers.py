"""Reusable layers. Convention: forward caches, backward(upstream) returns d(loss)/d(input)."""
import numpy as np


class Linear:
    """Z = A W + b.   A [B, n_in], W [n_in, n_out], b [n_out], Z [B, n_out]"""

    def __init__(self, W, b):
        self.W, self.b = W, b
        self.dW = self.db = None

    def forward(self, A):
        assert A.ndim == 2 and A.shape[1] == self.W.shape[0], (A.shape, self.W.shape)
        self.A = A
        return A @ self.W + self.b

    def backward(self, dZ):
        self.dW = self.A.T @ dZ
        self.db = dZ.sum(axis=0)
        assert self.dW.shape == self.W.shape and self.db.shape == self.b.shape
        return dZ @ self.W.T


class ReLU:
    def forward(self, Z):
        self.active = Z > 0          # convention: derivative 0 at z == 0
        return Z * self.active

    def backward(self, dH):
        return dH * self.active


class SoftmaxCrossEntropy:
    """Mean over the batch. The 1/B of the mean appears in backward() here and nowhere else."""

    def forward(self, logits, y):
        self.y = np.asarray(y)
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_norm = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.logp = shifted - log_norm
        rows = np.arange(len(self.y))
        return float(-self.logp[rows, self.y].mean())

    def backward(self):
        B = len(self.y)
        dlogits = np.exp(self.logp)
        dlogits[np.arange(B), self.y] -= 1
        return dlogits / B
