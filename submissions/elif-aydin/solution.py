import numpy as np
import torch
import torch.nn.functional as F


def softmax(z):
    z = z - np.max(z, axis=1, keepdims=True)
    ez = np.exp(z)
    return ez / np.sum(ez, axis=1, keepdims=True)


def cross_entropy(probs, y):
    """Mean negative log-likelihood."""
    probs = softmax(probs)
    return -np.mean(np.log(probs[np.arange(len(y)), y])), probs


def forward(X, y, W1, b1, W2, b2):
    a1 = X @ W1 + b1
    h1 = np.maximum(a1, 0)
    a2 = h1 @ W2 + b2
    probs = softmax(a2)
    loss, probs = cross_entropy(probs, y)
    return loss, {"x": X, "y": y, "w1": W1, "w2": W2, "a1": a1, "h1": h1, "probs": probs}


def backward(cache):
    x, y, probs = cache["x"], cache["y"], cache["probs"]
    m = x.shape[0]
    da2 = probs - np.eye(probs.shape[1])[y]
    da2 = da2 / m
    dh1 = da2 @ cache["w2"].T
    da1 = dh1 * (cache["a1"] > 0).astype(dh1.dtype)
    return {
        "W2": cache["h1"].T @ da2,
        "b2": np.sum(da2, axis=0),
        "W1": x.T @ da1,
        "b1": np.sum(da1, axis=0),
        "X": da1 @ cache["w1"].T,
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    x, w1, c1, w2, c2 = [torch.tensor(v).requires_grad_(True) for v in (X, W1, b1, W2, b2)]
    logits = F.relu(x @ w1 + c1) @ w2 + c2
    loss = F.cross_entropy(logits, torch.tensor(y).to(torch.int64), reduction="mean")
    loss.backward()
    return loss.detach(), {"W1": w1.grad, "b1": c1.grad, "W2": w2.grad, "b2": c2.grad, "X": x.grad}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    loss_t, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    hand = backward(cache)
    ok = abs(loss - loss_t.item()) < 1e-8
    for name, g in hand.items():
        diff = np.linalg.norm(g - auto[name].numpy()) / (np.linalg.norm(g) + 1e-12)
        ok = ok and diff < 1e-7
    return ok
