import numpy as np
import torch

LAMBDA = 1e-2


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    Z2c = Z2 - Z2.max(axis=1, keepdims=True)
    logP = Z2c - np.log(np.exp(Z2c).sum(axis=1, keepdims=True))
    data_loss = -logP[np.arange(len(y)), y].mean()
    reg_loss = LAMBDA * (np.sum(W1 * W1) + np.sum(W2 * W2))
    loss = data_loss + reg_loss
    return loss, (X, y, W1, W2, Z1, H1, np.exp(logP))


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    n = len(y)
    dZ2 = P.copy()
    dZ2[np.arange(n), y] -= 1
    dZ2 /= n
    dW2 = H1.T @ dZ2
    dW2 += 2 * LAMBDA * W2
    db2 = np.sum(dZ2, axis=0)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    dW1 = X.T @ dZ1
    dW1 += 2 * LAMBDA * W1
    db1 = np.sum(dZ1, axis=0)
    dX = dZ1 @ W1.T
    return dict(W1=dW1, b1=db1, W2=dW2, b2=db2, X=dX)


def torch_forward_backward(X, y, W1, b1, W2, b2):
    p = {k: torch.tensor(v, requires_grad=True) for k, v in zip(("X", "W1", "b1", "W2", "b2"), (X, W1, b1, W2, b2))}
    z = torch.relu(p["X"] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    loss = torch.nn.functional.cross_entropy(z, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {k: v.grad.numpy() for k, v in p.items()}


def verify(X, y, W1, b1, W2, b2):
    grads = backward(forward(X, y, W1, b1, W2, b2)[1])
    auto = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all([np.allclose(grads[k], auto[k]) for k in grads])
