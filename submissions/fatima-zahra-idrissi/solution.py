"""
Take-home: backprop through a two layer network.

I derive everything for the SUM of the per-example losses, because then every
formula is free of 1/B, and divide by B at the very end, once in each gradient.
(L_mean = L_sum / B, and the derivative is linear.)
"""
import numpy as np
import torch


def log_sum_exp(a):
    m = a.max(axis=1, keepdims=True)
    return m + np.log(np.sum(np.exp(a - m), axis=1, keepdims=True))


def forward(X, y, W1, b1, W2, b2):
    B = len(X)
    Z1 = X.dot(W1) + b1          # [B,H]
    H1 = Z1.clip(min=0)          # [B,H]
    Z2 = H1.dot(W2) + b2         # [B,C]
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    logP = Z2 - log_sum_exp(Z2)  # [B,C]
    loss = -logP[range(B), y].sum() / X.dtype.type(B)
    return loss, [X, y, W1, W2, Z1, H1, np.exp(logP)]


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    B = len(X)

    # all of these are for the sum
    dZ2 = P.copy()
    dZ2[range(B), y] -= 1.0
    dH1 = dZ2.dot(W2.T)
    dZ1 = np.where(Z1 > 0, dH1, 0)

    # ... and here it becomes the mean
    dW2 = H1.T.dot(dZ2) / B
    db2 = dZ2.sum(axis=0) / B
    dW1 = X.T.dot(dZ1) / B
    db1 = dZ1.sum(axis=0) / B
    dX = dZ1.dot(W1.T) / B

    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X_, W1_, b1_, W2_, b2_ = [
        torch.from_numpy(np.array(t)).requires_grad_(True) for t in (X, W1, b1, W2, b2)
    ]
    y_ = torch.from_numpy(np.array(y, dtype=np.int64))
    h = torch.nn.functional.relu(torch.matmul(X_, W1_) + b1_)
    z = torch.matmul(h, W2_) + b2_
    # sum first, then / B: the same route as above
    loss = torch.nn.functional.cross_entropy(z, y_, reduction="sum") / len(X)
    loss.backward()
    return loss.detach().numpy(), {
        "W1": W1_.grad.numpy(),
        "b1": b1_.grad.numpy(),
        "W2": W2_.grad.numpy(),
        "b2": b2_.grad.numpy(),
        "X": X_.grad.numpy(),
    }


def verify(X, y, W1, b1, W2, b2):
    l1, cache = forward(X, y, W1, b1, W2, b2)
    g1 = backward(cache)
    l2, g2 = torch_forward_backward(X, y, W1, b1, W2, b2)
    if X.dtype == np.float32:
        rtol = 1e-4
    else:
        rtol = 1e-9
    assert np.isclose(float(l1), float(l2), rtol=rtol, atol=rtol)
    for k in ["W1", "b1", "W2", "b2", "X"]:
        ref = np.asarray(g2[k])
        assert g1[k].shape == ref.shape
        np.testing.assert_allclose(g1[k], ref, rtol=0, atol=rtol * np.abs(ref).max(), err_msg=k)
    return True
