import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    Zs = Z2 - Z2.max(axis=1, keepdims=True)
    A2 = np.exp(Zs) / np.exp(Zs).sum(axis=1, keepdims=True)
    logs = Zs - np.log(np.exp(Zs).sum(axis=1, keepdims=True))
    loss = -logs[np.arange(len(X)), y].mean()
    return loss, {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "A2": A2}


def softmax_prime(A):
    return A * (1 - A)


def backward(cache):
    m = cache["X"].shape[0]
    Y = np.zeros(cache["A2"].shape)
    Y[np.arange(m), cache["y"]] = 1
    dA2 = (cache["A2"] - Y) / m
    dZ2 = dA2 * softmax_prime(cache["A2"])
    dW2 = cache["H1"].T @ dZ2
    db2 = dZ2.sum(axis=0)
    dZ1 = (dZ2 @ cache["W2"].T) * (cache["Z1"] > 0)
    dW1 = cache["X"].T @ dZ1
    db1 = dZ1.sum(axis=0)
    dX = dZ1 @ cache["W1"].T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = [torch.tensor(v, requires_grad=True) for v in [X, W1, b1, W2, b2]]
    y = torch.tensor(y).long()
    loss = F.cross_entropy(torch.relu(X @ W1 + b1) @ W2 + b2, y)
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    _, cache = forward(X, y, W1, b1, W2, b2)
    numpy_grads = backward(cache)
    _, torch_grads = torch_forward_backward(X, y, W1, b1, W2, b2)
    return all(np.allclose(numpy_grads[k], torch_grads[k].numpy(), atol=1e-9) for k in numpy_grads)
