"""Layer classes first (follow-up Q1), then forward/backward are three lines each.

Every layer's forward leaves `saved`, exactly the arrays its backward needs. The
cache is the tuple of those, so two forwards can be in flight at the same time.
"""
from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F


class Linear:
    def __init__(self, W=None, b=None, saved=None):
        self.W, self.b, self.saved = W, b, saved

    def forward(self, x):
        self.saved = (x, self.W)
        return x @ self.W + self.b

    def backward(self, upstream):
        x, W = self.saved
        self.dW = x.T @ upstream          # [in, B] @ [B, out]
        self.db = upstream.sum(axis=0)    # [out]
        return upstream @ W.T             # [B, in]


class ReLU:
    def __init__(self, saved=None):
        self.saved = saved

    def forward(self, x):
        self.saved = x
        return np.maximum(x, 0)

    def backward(self, upstream):
        return np.where(self.saved > 0, upstream, 0)


class SoftmaxCrossEntropy:
    def __init__(self, saved=None):
        self.saved = saved

    def forward(self, logits, y):
        logits = logits - logits.max(axis=1, keepdims=True)
        log_z = np.log(np.exp(logits).sum(axis=1, keepdims=True))
        log_p = logits - log_z
        self.saved = (np.exp(log_p), y)
        return -np.mean(log_p[np.arange(y.size), y])

    def backward(self):
        p, y = self.saved
        g = p.copy()
        g[np.arange(y.size), y] -= 1
        return g / y.size


def forward(X, y, W1, b1, W2, b2):
    fc1, relu, fc2, criterion = Linear(W1, b1), ReLU(), Linear(W2, b2), SoftmaxCrossEntropy()
    loss = criterion.forward(fc2.forward(relu.forward(fc1.forward(X))), y)
    return loss, (fc1.saved, relu.saved, fc2.saved, criterion.saved)


def backward(cache):
    s1, s_relu, s2, s_loss = cache
    fc1, relu, fc2 = Linear(saved=s1), ReLU(saved=s_relu), Linear(saved=s2)
    dX = fc1.backward(relu.backward(fc2.backward(SoftmaxCrossEntropy(saved=s_loss).backward())))
    return {"W1": fc1.dW, "b1": fc1.db, "W2": fc2.dW, "b2": fc2.db, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = {k: torch.tensor(v, requires_grad=True)
         for k, v in dict(W1=W1, b1=b1, W2=W2, b2=b2, X=X).items()}
    logits = F.relu(t["X"] @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"]
    loss = F.cross_entropy(logits, torch.as_tensor(y.astype("int64")))
    loss.backward()
    return loss.item(), {k: v.grad.numpy() for k, v in t.items()}


def verify(X, y, W1, b1, W2, b2):
    a = backward(forward(X, y, W1, b1, W2, b2)[1])
    b = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    tol = 1e-11 if X.dtype == np.float64 else 1e-4
    return all(
        a[k].shape == b[k].shape
        and np.abs(a[k] - np.asarray(b[k])).max() <= tol * np.abs(np.asarray(b[k])).max()
        for k in ("W1", "b1", "W2", "b2", "X")
    )


def gradient_check(X, y, W1, b1, W2, b2):
    """Central differences along 5 random directions per tensor, in float64."""
    grads = backward(forward(X, y, W1, b1, W2, b2)[1])
    base = {k: np.asarray(v, np.float64) for k, v in dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2).items()}
    h = np.finfo(np.float64).eps ** (1 / 3)
    rng = np.random.default_rng(1)
    worst = 0.0
    for k, value in base.items():
        for _ in range(5):
            v = rng.normal(size=value.shape)
            v /= np.linalg.norm(v)
            up = forward(y=y, **{**base, k: value + h * v})[0]
            down = forward(y=y, **{**base, k: value - h * v})[0]
            numeric, analytic = (up - down) / (2 * h), float(np.sum(grads[k] * v))
            scale = max(abs(numeric), abs(analytic), 1e-6)
            worst = max(worst, abs(numeric - analytic) / scale)
    return worst
