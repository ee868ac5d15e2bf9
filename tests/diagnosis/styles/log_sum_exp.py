"""log-sum-exp by hand, probabilities as exp(Z2 - lse); the same formula in PyTorch."""

from types import SimpleNamespace

import numpy as np
import torch


def forward(X, y, W1, b1, W2, b2):
    Z1 = X.dot(W1) + b1
    H1 = np.where(Z1 > 0, Z1, 0)
    Z2 = H1.dot(W2) + b2
    m = Z2.max(axis=1)
    lse = m + np.log(np.exp(Z2 - m[:, None]).sum(axis=1))
    picked = Z2[np.arange(len(y)), y]
    loss = np.mean(lse - picked)
    P = np.exp(Z2 - lse[:, None])
    return loss, SimpleNamespace(X=X, y=y, W1=W1, W2=W2, Z1=Z1, H1=H1, P=P)


def backward(cache):
    X, y, W1, W2, P = cache.X, cache.y, cache.W1, cache.W2, cache.P
    Z1, H1 = cache.Z1, cache.H1
    N = len(y)
    dZ2 = P / N
    dZ2[np.arange(N), y] -= 1 / N
    dH1 = dZ2.dot(W2.T)
    dZ1 = np.where(Z1 > 0, dH1, 0)
    return {
        "W1": X.T.dot(dZ1),
        "b1": dZ1.sum(0),
        "W2": H1.T.dot(dZ2),
        "b2": dZ2.sum(0),
        "X": dZ1.dot(W1.T),
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    tX = torch.tensor(X).requires_grad_()
    tW1 = torch.tensor(W1).requires_grad_()
    tb1 = torch.tensor(b1).requires_grad_()
    tW2 = torch.tensor(W2).requires_grad_()
    tb2 = torch.tensor(b2).requires_grad_()
    hidden = torch.clamp(tX @ tW1 + tb1, min=0)
    logits = hidden @ tW2 + tb2
    picked = logits.gather(1, torch.tensor(y).long()[:, None])[:, 0]
    loss = (torch.logsumexp(logits, dim=1) - picked).mean()
    loss.backward()
    grads = {"W1": tW1.grad, "b1": tb1.grad, "W2": tW2.grad, "b2": tb2.grad, "X": tX.grad}
    return float(loss), grads


def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    limit = 1e-10 if X.dtype == np.float64 else 1e-4
    worst = 0.0
    for name in ("W1", "b1", "W2", "b2", "X"):
        got, want = np.asarray(mine[name]), theirs[name].numpy()
        if got.shape != want.shape:
            return False
        worst = max(worst, np.abs(got - want).max() / np.abs(want).max())
    return bool(worst <= limit)
