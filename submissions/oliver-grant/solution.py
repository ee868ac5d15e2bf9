"""Backprop exercise, O. Grant"""

import numpy as np
import torch
import torch.nn.functional as F


def affine(x, w, b):
    return x @ w + b


def stable_log_softmax(logits):
    # shift by the max for numerical stability
    shifted = logits - np.max(logits)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def forward(X, y, W1, b1, W2, b2):
    Z1 = affine(X, W1, b1)  # [B, H]
    H1 = np.maximum(Z1, 0)  # [B, D]
    log_P = stable_log_softmax(affine(H1, W2, b2))
    loss = -np.mean(log_P[np.arange(X.shape[0]), y])
    cache = {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": np.exp(log_P)}
    return loss, cache


def backward(cache):
    B = cache["X"].shape[0]

    # dZ2 = (P - onehot) / B
    dZ2 = cache["P"].copy()
    dZ2[np.arange(B), cache["y"]] -= 1
    dZ2 = dZ2 / B

    dZ1 = (dZ2 @ cache["W2"].T) * (cache["Z1"] > 0)
    return {
        "W1": cache["X"].T @ dZ1,
        "b1": dZ1.sum(axis=0),
        "W2": cache["H1"].T @ dZ2,
        "b2": dZ2.sum(axis=0),
        "X": dZ1 @ cache["W1"].T,
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    names = ["W1", "b1", "W2", "b2", "X"]
    leaves = {n: torch.tensor(a, requires_grad=True) for n, a in zip(names, [W1, b1, W2, b2, X])}
    h = F.relu(leaves["X"] @ leaves["W1"] + leaves["b1"])
    loss = F.cross_entropy(h @ leaves["W2"] + leaves["b2"], torch.tensor(y).long())
    loss.backward()
    return loss.item(), {n: leaves[n].grad.numpy() for n in names}


def verify(X, y, W1, b1, W2, b2):
    # The two must be identical. This returns False on my machine, I assume because
    # torch was built with another BLAS; the numbers look the same when printed.
    loss, cache = forward(X, y, W1, b1, W2, b2)
    grads = backward(cache)
    tloss, tgrads = torch_forward_backward(X, y, W1, b1, W2, b2)
    print("loss", loss, float(tloss))
    for n in ["W1", "b1", "W2", "b2", "X"]:
        if not np.array_equal(grads[n], np.asarray(tgrads[n])):
            print(f"d{n} differs")
            return False
    return True
