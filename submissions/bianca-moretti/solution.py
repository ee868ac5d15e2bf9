"""Two-layer classifier, forward and backward by hand, then torch."""
import numpy as np
import torch
import torch.nn.functional as F

SLOPE = 0.01


def leaky(v):
    return np.where(v > 0, v, SLOPE * v)


def d_leaky(v):
    return np.where(v > 0, 1.0, SLOPE)


def log_softmax(logits):
    top = logits.max(axis=-1, keepdims=True)
    return logits - top - np.log(np.sum(np.exp(logits - top), axis=-1, keepdims=True))


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = leaky(Z1)
    Z2 = H1 @ W2 + b2
    logP = log_softmax(Z2)
    loss = -np.take_along_axis(logP, y.astype(int)[:, None], axis=1).mean()
    cache = {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "logP": logP}
    return float(loss), cache


def backward(cache):
    y = cache["y"].astype(int)
    B, C = cache["logP"].shape
    target = np.zeros((B, C))
    target[np.arange(B), y] = 1.0
    dZ2 = (np.exp(cache["logP"]) - target) / B
    grads = {"W2": cache["H1"].T @ dZ2, "b2": dZ2.sum(axis=0)}
    dZ1 = (dZ2 @ cache["W2"].T) * d_leaky(cache["Z1"])
    grads["W1"] = cache["X"].T @ dZ1
    grads["b1"] = dZ1.sum(axis=0)
    grads["X"] = dZ1 @ cache["W1"].T
    return grads


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = {k: torch.from_numpy(v.copy()).requires_grad_() for k, v in
              dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2).items()}
    h = F.leaky_relu(leaves["X"] @ leaves["W1"] + leaves["b1"], SLOPE)
    loss = F.cross_entropy(h @ leaves["W2"] + leaves["b2"], torch.from_numpy(y.astype("int64")))
    loss.backward()
    return loss.item(), {k: v.grad.numpy() for k, v in leaves.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    t_loss, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    same = [np.allclose(mine[k], auto[k], rtol=1e-5, atol=1e-8) for k in auto]
    return all(same) and abs(loss - t_loss) < 1e-8
