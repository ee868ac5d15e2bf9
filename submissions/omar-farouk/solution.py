import numpy as np
import torch
import torch.nn.functional as F
from collections import namedtuple

Cache = namedtuple("Cache", "X y W1 W2 Z1 H1 P")


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    log_norm = np.log(np.exp(Z2).sum(axis=1))
    loss = (log_norm - Z2[np.arange(len(y)), y]).mean()
    return loss, Cache(X, y, W1, W2, Z1, H1, np.exp(Z2 - log_norm[:, None]))


def backward(cache):
    B = cache.X.shape[0]
    # gradient of softmax + cross-entropy, averaged over the batch
    dZ2 = cache.P / B
    dZ1 = (dZ2 @ cache.W2.T) * (cache.Z1 > 0)
    return {
        "W1": cache.X.T @ dZ1,
        "b1": dZ1.sum(axis=0),
        "W2": cache.H1.T @ dZ2,
        "b2": dZ2.sum(axis=0),
        "X": dZ1 @ cache.W1.T,
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    named = dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2)
    named = {k: torch.tensor(v, requires_grad=True) for k, v in named.items()}
    hidden = F.relu(named["X"] @ named["W1"] + named["b1"])
    loss = F.cross_entropy(hidden @ named["W2"] + named["b2"], torch.tensor(y.astype(int)))
    loss.backward()
    return loss.item(), {k: v.grad for k, v in named.items()}


def verify(X, y, W1, b1, W2, b2):
    a = backward(forward(X, y, W1, b1, W2, b2)[1])
    b = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    rel = lambda u, v: np.abs(u - v).max() / max(1e-8, np.abs(u).max() + np.abs(v).max())
    return all(rel(a[k], b[k].numpy()) < 1e-6 for k in a)
