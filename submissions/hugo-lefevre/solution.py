import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1[None, :]
    H1 = np.clip(Z1, 0, None)
    Z2 = H1 @ W2 + b2[None, :]
    Z2s = Z2 - Z2.max(1)[:, None]
    logP = Z2s - np.log(np.exp(Z2s).sum(1))[:, None]
    T = np.eye(W2.shape[1])[y]
    loss = -np.mean(T * logP)
    return loss, [X, T, W1, W2, Z1, H1, logP]


def backward(cache):
    X, T, W1, W2, Z1, H1, logP = cache
    dZ2 = (np.exp(logP) - T) / T.size
    dW2 = H1.T @ dZ2
    db2 = dZ2.sum(0)
    dZ1 = dZ2 @ W2.T
    dZ1[Z1 <= 0] = 0
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(0)
    dX = dZ1 @ W1.T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    ts = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
    Xt, W1t, b1t, W2t, b2t = ts
    loss = F.nll_loss(F.log_softmax(F.relu(Xt @ W1t + b1t) @ W2t + b2t, dim=-1), torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"X": Xt.grad, "W1": W1t.grad, "b1": b1t.grad, "W2": W2t.grad, "b2": b2t.grad}


def verify(X, y, W1, b1, W2, b2):
    _, cache = forward(X, y, W1, b1, W2, b2)
    hand = backward(cache)
    _, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    worst = max(float(np.max(np.abs(hand[k] - auto[k].numpy()))) for k in hand)
    return worst < 1e-9
