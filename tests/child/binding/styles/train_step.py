"""Only a training step: returns the loss and the stepped weights."""

import numpy as np


def train_step(X, y, W1, b1, W2, b2, learning_rate=0.1):
    n = X.shape[0]
    Z1 = X @ W1 + b1
    A1 = np.maximum(Z1, 0)
    Z2 = A1 @ W2 + b2
    S = Z2 - Z2.max(axis=1, keepdims=True)
    logP = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    loss = -logP[np.arange(n), y].mean()
    dZ2 = np.exp(logP)
    dZ2[np.arange(n), y] -= 1
    dZ2 /= n
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    W1 = W1 - learning_rate * X.T @ dZ1
    b1 = b1 - learning_rate * dZ1.sum(axis=0)
    W2 = W2 - learning_rate * A1.T @ dZ2
    b2 = b2 - learning_rate * dZ2.sum(axis=0)
    return loss, W1, b1, W2, b2
