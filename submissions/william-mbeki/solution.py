import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    n = X.shape[0]
    Z1 = np.add(np.matmul(X, W1), b1)
    H1 = np.maximum(Z1, 0)
    Z2 = np.add(np.matmul(H1, W2), b2)
    biggest = np.max(Z2, axis=1, keepdims=True)
    logP = Z2 - biggest - np.log(np.sum(np.exp(Z2 - biggest), axis=1, keepdims=True))
    loss = -np.sum(logP[np.arange(n), y]) / n
    return loss, dict(X=X, y=y, W1=W1, W2=W2, Z1=Z1, H1=H1, logP=logP)


def backward(cache):
    X, y, Z1 = cache["X"], cache["y"], cache["Z1"]
    n = X.shape[0]
    dZ2 = np.exp(cache["logP"])
    dZ2[np.arange(n), y] -= 1
    dZ2 = np.divide(dZ2, n)
    dW2 = np.matmul(cache["H1"].T, dZ2)
    db2 = np.sum(dZ2, axis=1)
    dZ1 = np.multiply(np.matmul(dZ2, cache["W2"].T), Z1 > 0)
    dW1 = np.matmul(X.T, dZ1)
    db1 = np.sum(dZ1, axis=1)
    dX = np.matmul(dZ1, cache["W1"].T)
    return dict(W1=dW1, b1=db1, W2=dW2, b2=db2, X=dX)


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (torch.tensor(v, requires_grad=True) for v in (X, W1, b1, W2, b2))
    H1 = F.relu(X @ W1 + b1)
    H1 = H1.detach()        # keep the cached activation clean
    Z2 = H1 @ W2 + b2
    loss = F.cross_entropy(Z2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    auto = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    for k in hand:
        if auto[k] is None or hand[k].shape != tuple(auto[k].shape):
            return False
        if not np.allclose(hand[k], auto[k].numpy(), atol=1e-9):
            return False
    return True
