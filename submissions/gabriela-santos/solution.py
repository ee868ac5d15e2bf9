import numpy as np
import torch
import torch.nn as nn


def forward(X, y, W1, b1, W2, b2):
    z1 = X @ W1 + b1
    h1 = np.maximum(0, z1)
    z2 = h1 @ W2 + b2
    z2 -= np.amax(z2, axis=1, keepdims=True)
    p = np.exp(z2)
    p /= p.sum(axis=1, keepdims=True)
    nll = -np.log(p[np.arange(len(p)), y] + 1e-8)
    return nll.mean(), dict(X=X, y=y, W1=W1, W2=W2, z1=z1, h1=h1, p=p)


def backward(cache):
    n = len(cache["X"])
    delta = cache["p"].copy()
    delta[np.arange(n), cache["y"]] -= 1.0
    delta /= n
    back = (delta @ cache["W2"].T) * (cache["z1"] > 0)
    return {
        "W1": cache["X"].T @ back,
        "b1": back.sum(axis=0),
        "W2": cache["h1"].T @ delta,
        "b2": delta.sum(axis=0),
        "X": back @ cache["W1"].T,
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    D, H = W1.shape
    C = W2.shape[1]
    net = nn.Sequential(nn.Linear(D, H), nn.ReLU(), nn.Linear(H, C)).to(torch.tensor(X).dtype)
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor(W1.T))
        net[0].bias.copy_(torch.tensor(b1))
        net[2].weight.copy_(torch.tensor(W2.T))
        net[2].bias.copy_(torch.tensor(b2))
    x = torch.tensor(X, requires_grad=True)
    loss = nn.functional.cross_entropy(net(x), torch.tensor(y).long())
    loss.backward()
    return loss.item(), {
        "W1": net[0].weight.grad.T, "b1": net[0].bias.grad,
        "W2": net[2].weight.grad.T, "b2": net[2].bias.grad, "X": x.grad,
    }


def verify(X, y, W1, b1, W2, b2):
    _, c = forward(X, y, W1, b1, W2, b2)
    a = backward(c)
    _, t = torch_forward_backward(X, y, W1, b1, W2, b2)
    return all(np.allclose(a[k], t[k].numpy(), atol=1e-10) for k in a)
