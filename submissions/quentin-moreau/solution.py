import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    shift = Z2 - Z2.max(axis=1, keepdims=True)
    expZ = np.exp(shift)
    total = expZ.sum(axis=1, keepdims=True)
    P = expZ / total
    logP = shift - np.log(total)
    loss = -np.sum(logP[np.arange(X.shape[0]), y])
    # keep everything, memory is cheap and I don't yet know what backward will want
    return loss, dict(locals())


def backward(cache):
    y = cache["y"]
    # L = sum_i -log p_i  =>  dL/dZ2 = P - onehot
    dZ2 = cache["P"].copy()
    dZ2[np.arange(len(y)), y] -= 1
    dW2 = cache["H1"].T @ dZ2
    db2 = dZ2.sum(axis=0)
    dZ1 = (dZ2 @ cache["W2"].T) * (cache["Z1"] > 0)
    dW1 = cache["X"].T @ dZ1
    db1 = dZ1.sum(axis=0)
    dX = dZ1 @ cache["W1"].T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X = torch.from_numpy(X).clone().requires_grad_()
    W1 = torch.from_numpy(W1).clone().requires_grad_()
    b1 = torch.from_numpy(b1).clone().requires_grad_()
    W2 = torch.from_numpy(W2).clone().requires_grad_()
    b2 = torch.from_numpy(b2).clone().requires_grad_()
    logits = F.relu(X @ W1 + b1) @ W2 + b2
    loss = F.cross_entropy(logits, torch.from_numpy(y).long(), reduction="sum")
    loss.backward()
    return loss.item(), {
        "W1": W1.grad.numpy(),
        "b1": b1.grad.numpy(),
        "W2": W2.grad.numpy(),
        "b2": b2.grad.numpy(),
        "X": X.grad.numpy(),
    }


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    ours = backward(cache)
    loss_t, ref = torch_forward_backward(X, y, W1, b1, W2, b2)
    assert np.isclose(loss, float(loss_t), rtol=1e-9)
    for k in ("W1", "b1", "W2", "b2", "X"):
        r = np.asarray(ref[k])
        assert ours[k].shape == r.shape
        assert np.abs(ours[k] - r).max() < 1e-9 * np.abs(r).max()
    return True
