import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    u = X @ W1 + b1            # [B, H]
    v = np.maximum(u, 0)       # [B, H]
    w = v @ W2 + b2            # [B, C]
    w = w - w.max(axis=1, keepdims=True)
    q = w - np.log(np.exp(w).sum(axis=1, keepdims=True))
    i = np.arange(len(y))
    return -q[i, y].mean(), (X, y, W1, W2, v, q)


def backward(cache):
    X, y, W1, W2, v, q = cache
    i = np.arange(len(y))
    dw = np.exp(q)
    dw[i, y] -= 1
    dw /= len(y)
    dv = dw @ W2.T
    du = dv * v                # ReLU'
    return {"W1": X.T @ du, "b1": du.sum(0), "W2": v.T @ dw, "b2": dw.sum(0), "X": du @ W1.T}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    x = torch.tensor(X, requires_grad=True)
    net = torch.nn.Sequential(
        torch.nn.Linear(*W1.shape, dtype=x.dtype), torch.nn.ReLU(), torch.nn.Linear(*W2.shape, dtype=x.dtype)
    )
    net.load_state_dict({"0.weight": torch.tensor(W1.T.copy()), "0.bias": torch.tensor(b1),
                         "2.weight": torch.tensor(W2.T.copy()), "2.bias": torch.tensor(b2)})
    loss = F.cross_entropy(net(x), torch.tensor(y).long())
    loss.backward()
    first, _, second = net
    return loss.item(), {"W1": first.weight.grad.T, "b1": first.bias.grad,
                         "W2": second.weight.grad.T, "b2": second.bias.grad, "X": x.grad}


def verify(X, y, W1, b1, W2, b2):
    a = backward(forward(X, y, W1, b1, W2, b2)[1])
    b = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.linalg.norm(a[k] - b[k].numpy()) <= 1e-7 * np.linalg.norm(b[k].numpy()) for k in a)
