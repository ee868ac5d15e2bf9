import numpy as np
import torch
import torch.nn.functional as F


def one_hot(y, n_classes, dtype=float):
    t = np.zeros((y.size, n_classes), dtype=dtype)
    t[np.arange(y.size), y] = 1
    return t


def log_softmax(a):
    a = a - a.max(axis=1, keepdims=True)
    return a - np.log(np.exp(a).sum(axis=1, keepdims=True))


def forward(X, y, W1, b1, W2, b2):
    a1 = X @ W1 + b1
    z1 = np.maximum(a1, 0)
    a2 = z1 @ W2 + b2
    logp = log_softmax(a2)
    t = one_hot(y, a2.shape[1], a2.dtype)
    loss = -(t * logp).sum() / len(y)
    return loss, {"X": X, "W1": W1, "W2": W2, "a1": a1, "z1": z1, "logp": logp, "t": t}


def backward(cache):
    # output error, then back through the two layers (Bishop ch. 5)
    n = cache["X"].shape[0]
    delta2 = (cache["t"] - np.exp(cache["logp"])) / n
    delta1 = (cache["a1"] > 0) * (delta2 @ cache["W2"].T)
    return {
        "W2": cache["z1"].T @ delta2,
        "b2": delta2.sum(axis=0),
        "W1": cache["X"].T @ delta1,
        "b1": delta1.sum(axis=0),
        "X": delta1 @ cache["W1"].T,
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    tensors = {
        name: torch.from_numpy(value).clone().requires_grad_(True)
        for name, value in [("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2), ("X", X)]
    }
    a2 = F.relu(tensors["X"] @ tensors["W1"] + tensors["b1"]) @ tensors["W2"] + tensors["b2"]
    loss = F.cross_entropy(a2, torch.from_numpy(np.asarray(y, dtype=np.int64)))
    loss.backward()
    return loss.item(), {name: t.grad for name, t in tensors.items()}
