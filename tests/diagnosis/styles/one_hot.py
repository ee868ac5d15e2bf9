"""The labels as a one-hot matrix in loss and gradient; torch.func.grad_and_value."""

import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Y = np.zeros((X.shape[0], W2.shape[1]), dtype=W2.dtype)
    Y[np.arange(X.shape[0]), y] = 1
    Z1 = np.matmul(X, W1) + b1
    A1 = np.maximum(Z1, 0)
    Z2 = np.matmul(A1, W2) + b2
    Z2 = Z2 - np.max(Z2, axis=1, keepdims=True)
    log_norm = np.log(np.sum(np.exp(Z2), axis=1, keepdims=True))
    log_P = Z2 - log_norm
    loss = -np.sum(Y * log_P) / X.shape[0]
    cache = {"X": X, "Y": Y, "W1": W1, "W2": W2, "Z1": Z1, "A1": A1, "P": np.exp(log_P)}
    return loss, cache


def backward(cache):
    X, Y, W1, W2 = cache["X"], cache["Y"], cache["W1"], cache["W2"]
    Z1, A1, P = cache["Z1"], cache["A1"], cache["P"]
    dZ2 = (P - Y) / X.shape[0]
    dW2 = np.matmul(A1.T, dZ2)
    db2 = np.sum(dZ2, axis=0)
    dA1 = np.matmul(dZ2, W2.T)
    dZ1 = np.multiply(dA1, Z1 > 0)
    dW1 = np.matmul(X.T, dZ1)
    db1 = np.sum(dZ1, axis=0)
    dX = np.matmul(dZ1, W1.T)
    names = ("W1", "b1", "W2", "b2", "X")
    return dict(zip(names, (dW1, db1, dW2, db2, dX), strict=True))


def torch_forward_backward(X, y, W1, b1, W2, b2):
    target = torch.tensor(y).long()
    given = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "X": X}
    values = {name: torch.tensor(array) for name, array in given.items()}

    def loss_of(t):
        hidden = torch.relu(t["X"] @ t["W1"] + t["b1"])
        logits = hidden @ t["W2"] + t["b2"]
        return F.cross_entropy(logits, target)

    grads, loss = torch.func.grad_and_value(loss_of)(values)
    return loss.item(), grads


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    manual = backward(cache)
    torch_loss, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    tol = 1e-10 if X.dtype == np.float64 else 1e-4
    results = {"loss": abs(loss - torch_loss) <= tol * max(1, abs(torch_loss))}
    for name in ("W1", "b1", "W2", "b2", "X"):
        a, b = manual[name], auto[name].numpy()
        results[name] = a.shape == b.shape and np.abs(a - b).max() <= tol * np.abs(b).max()
    return all(results.values())
