import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    pre = X @ W1 + b1
    hid = np.maximum(pre, 0)
    out = hid @ W2 + b2
    out = out - out.max(1, keepdims=True)
    logp = out - np.log(np.exp(out).sum(1, keepdims=True))
    return -logp[np.arange(len(y)), y].mean(), (X, y, W1, W2, pre, hid, logp)


def backward(cache):
    X, y, W1, W2, pre, hid, logp = cache
    g_out = np.exp(logp)
    g_out[np.arange(len(y)), y] -= 1
    g_out /= len(y)
    g_hid = g_out @ W2.T
    g_pre = g_hid * (pre > 0)
    return {
        "W1": X.T @ g_pre,
        "b1": -g_pre.sum(axis=0),
        "W2": hid.T @ g_out,
        "b2": g_out.sum(axis=0),
        "X": g_hid @ W1.T,
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (torch.tensor(v, requires_grad=True) for v in (X, W1, b1, W2, b2))
    loss = F.cross_entropy(F.relu(X @ W1 + b1) @ W2 + b2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"X": X.grad, "W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad}


def verify(X, y, W1, b1, W2, b2):
    hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    auto = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.allclose(hand[k], auto[k].numpy(), rtol=1e-7) for k in hand)
