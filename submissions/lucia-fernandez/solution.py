"""Red de dos capas: NumPy a mano y PyTorch autograd."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def relu(z):
    return np.maximum(z, 0)


def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = relu(Z1)
    Z2 = H1 @ W2 + b2
    log_p = log_softmax(Z2)
    n = X.shape[0]
    loss = -log_p[np.arange(n), y].mean()
    cache = {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": np.exp(log_p)}
    return loss, cache


def backward(cache):
    X, y, W1, W2 = cache["X"], cache["y"], cache["W1"], cache["W2"]
    n = X.shape[0]
    grads = {}

    # capa de salida
    dZ2 = cache["P"].copy()
    dZ2[np.arange(n), y] -= 1
    dZ2 /= n
    grads["W2"] = cache["H1"].T @ dZ2
    grads["b2"] = dZ2.sum(axis=0)

    # capa oculta
    dZ1 = dZ2 @ W2.T
    grads["W1"] = X.T @ dZ1
    grads["b1"] = dZ1.sum(axis=0)
    grads["X"] = dZ1 @ W1.T
    return grads


def torch_forward_backward(X, y, W1, b1, W2, b2):
    p = {
        "W1": nn.Parameter(torch.tensor(W1)),
        "b1": nn.Parameter(torch.tensor(b1)),
        "W2": nn.Parameter(torch.tensor(W2)),
        "b2": nn.Parameter(torch.tensor(b2)),
        "X": nn.Parameter(torch.tensor(X)),
    }
    h = F.relu(p["X"] @ p["W1"] + p["b1"])
    loss = F.cross_entropy(h @ p["W2"] + p["b2"], torch.tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), {k: v.grad for k, v in p.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    g_np = backward(cache)
    loss_t, g_t = torch_forward_backward(X, y, W1, b1, W2, b2)
    bien = abs(loss - float(loss_t)) < 1e-6
    for k in ("W1", "b1", "W2", "b2", "X"):
        ref = np.asarray(g_t[k])
        bien = bien and np.abs(g_np[k] - ref).max() <= 1e-6 * np.abs(ref).max()
    return bool(bien)
