"""Columns without transposed weights: W1 is [D, H] and is used as W1.T; gradients by order."""

import numpy as np


def forward_prop(W1, b1, W2, b2, X):
    Z1 = W1.T.dot(X) + b1
    A1 = np.maximum(Z1, 0)
    Z2 = W2.T.dot(A1) + b2
    e = np.exp(Z2 - np.max(Z2, axis=0, keepdims=True))
    A2 = e / np.sum(e, axis=0, keepdims=True)
    return Z1, A1, Z2, A2


def get_loss(Z2, Y):
    n = Z2.shape[1]
    s = Z2 - Z2.max(axis=0, keepdims=True)
    return -(s - np.log(np.exp(s).sum(axis=0, keepdims=True)))[Y, np.arange(n)].mean()


def backward_prop(Z1, A1, A2, W1, W2, X, Y):
    m = X.shape[1]
    one_hot = np.zeros_like(A2)
    one_hot[Y, np.arange(m)] = 1
    dZ2 = (A2 - one_hot) / m
    dW2 = A1.dot(dZ2.T)
    db2 = dZ2.sum(axis=1, keepdims=True)
    dZ1 = W2.dot(dZ2) * (Z1 > 0)
    dW1 = X.dot(dZ1.T)
    db1 = dZ1.sum(axis=1, keepdims=True)
    return dW1, db1, dW2, db2, W1.dot(dZ1)
