import numpy as np
import torch
import torch.nn.functional as F


def loss_of(X, y, W1, b1, W2, b2):
    Z2 = np.maximum(X @ W1 + b1, 0) @ W2 + b2
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    return (np.log(np.exp(Z2).sum(axis=1)) - Z2[np.arange(len(y)), y]).mean()


def forward(X, y, W1, b1, W2, b2):
    return loss_of(X, y, W1, b1, W2, b2), (X, y, W1, b1, W2, b2)


def backward(cache, h=1e-5):
    X, y, W1, b1, W2, b2 = (a.copy() for a in cache)
    grads = {}
    for name, array in (("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2), ("X", X)):
        g = np.zeros_like(array)
        flat, gflat = array.reshape(-1), g.reshape(-1)
        for i in range(flat.size):
            old = flat[i]
            flat[i] = old + h
            up = loss_of(X, y, W1, b1, W2, b2)
            flat[i] = old - h
            down = loss_of(X, y, W1, b1, W2, b2)
            flat[i] = old
            gflat[i] = (up - down) / (2 * h)
        grads[name] = g
    return grads


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (torch.tensor(v, requires_grad=True) for v in (X, W1, b1, W2, b2))
    loss = F.cross_entropy(F.relu(X @ W1 + b1) @ W2 + b2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"X": X.grad, "W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad}


def verify(X, y, W1, b1, W2, b2):
    hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    auto = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.allclose(hand[k], auto[k].numpy(), atol=1e-6) for k in hand)
