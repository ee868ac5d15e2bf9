import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    B = X.shape[0]
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    M = Z2.max(axis=1, keepdims=True)
    E = np.exp(Z2 - M)
    S = E.sum(axis=1, keepdims=True)
    loss = np.mean(np.log(S[:, 0]) - (Z2 - M)[np.arange(B), y])
    cache = (X, y, W1, W2, Z1, H1, E / S)
    return loss, cache


def backward(cache):
    (X, y, W1, W2, Z1, H1, P) = cache
    B = X.shape[0]
    P[np.arange(B), y] -= 1
    dZ2 = P / B

    # average the parameter gradients over the batch
    dW2 = (H1.T @ dZ2) / B
    db2 = dZ2.sum(axis=0) / B
    dH1 = dZ2 @ W2.T
    dZ1 = dH1 * (Z1 > 0)
    dW1 = (X.T @ dZ1) / B
    db1 = dZ1.sum(axis=0) / B
    dX = dZ1 @ W1.T          # per example, nothing to average

    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    tensors = [torch.tensor(v, requires_grad=True) for v in (W1, b1, W2, b2, X)]
    w1, bb1, w2, bb2, x = tensors
    loss = F.cross_entropy(F.relu(x @ w1 + bb1) @ w2 + bb2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {n: t.grad.numpy() for n, t in zip(["W1", "b1", "W2", "b2", "X"], tensors)}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    hand = backward(cache)
    tloss, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    print("loss: hand %.12f torch %.12f" % (loss, float(tloss)))
    passed = True
    for name in ["W1", "b1", "W2", "b2", "X"]:
        ref = np.asarray(auto[name])
        worst = np.max(np.abs(hand[name] - ref)) / np.max(np.abs(ref))
        print("d%s: relative difference %.1e" % (name, worst))
        passed = passed and worst < 1e-8
    return passed
