import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = np.dot(X, W1) + b1
    H1 = Z1.copy()
    H1[H1 < 0] = 0
    Z2 = np.dot(H1, W2) + b2
    Z2 -= Z2.max(axis=1)[:, np.newaxis]
    expd = np.exp(Z2)
    sums = expd.sum(axis=1)
    loss = np.mean(np.log(sums) - Z2[np.arange(len(y)), y])
    return loss, {"X": X, "y": y, "W1": W1, "W2": W2, "H1": H1, "Z1": Z1, "P": expd / sums[:, np.newaxis]}


def backward(cache):
    N = len(cache["y"])
    dZ2 = cache["P"].copy()
    dZ2[np.arange(N), cache["y"]] -= 1
    dZ2 *= 1.0 / N
    dW2 = np.dot(cache["H1"].T, dZ2)
    db2 = np.sum(dZ2)
    dZ1 = np.dot(dZ2, cache["W2"].T)
    dZ1 *= cache["Z1"] > 0
    dW1 = np.dot(cache["X"].T, dZ1)
    db1 = np.sum(dZ1)
    dX = np.dot(dZ1, cache["W1"].T)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = [torch.from_numpy(np.ascontiguousarray(v)).clone().requires_grad_() for v in (X, W1, b1, W2, b2)]
    loss = F.cross_entropy(torch.relu(t[0] @ t[1] + t[2]) @ t[3] + t[4], torch.from_numpy(y.astype(np.int64)))
    loss.backward()
    return loss.item(), dict(zip(["X", "W1", "b1", "W2", "b2"], [v.grad.numpy() for v in t]))


def verify(X, y, W1, b1, W2, b2):
    hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    auto = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.shape(hand[k]) == auto[k].shape and np.allclose(hand[k], auto[k]) for k in auto)
