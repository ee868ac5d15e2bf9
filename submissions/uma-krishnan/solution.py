import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    """Forward pass.

    Shapes:
        X  (B, D)    W1 (D, H)    Z1, H1 (B, H)
        y  (B,)      W2 (H, C)    Z2     (B, C)
    """
    Z1 = np.matmul(X, W1)
    H1 = np.maximum(Z1, 0)
    Z2 = np.matmul(H1, W2) + b2
    shifted = Z2 - Z2.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[np.arange(X.shape[0]), y].mean()
    return loss, (X, y, W1, W2, Z1, H1, np.exp(log_p))


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    B = X.shape[0]
    dZ2 = P.copy()
    dZ2[np.arange(B), y] -= 1
    dZ2 = dZ2 / B
    dW2 = np.matmul(H1.T, dZ2)
    db2 = dZ2.sum(axis=0)
    dZ1 = np.matmul(dZ2, W2.T) * (Z1 > 0)
    dW1 = np.matmul(X.T, dZ1)
    db1 = dZ1.sum(axis=0)
    dX = np.matmul(dZ1, W1.T)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X_t = torch.tensor(X)
    y_t = torch.tensor(y).long()
    W1_t = torch.tensor(W1, requires_grad=True)
    b1_t = torch.tensor(b1, requires_grad=True)
    W2_t = torch.tensor(W2, requires_grad=True)
    b2_t = torch.tensor(b2, requires_grad=True)

    H1 = F.relu(X_t @ W1_t + b1_t)
    logits = H1 @ W2_t + b2_t
    loss = F.cross_entropy(logits, y_t)
    loss.backward()
    grads = {"W1": W1_t.grad, "b1": b1_t.grad, "W2": W2_t.grad, "b2": b2_t.grad, "X": X_t.grad}
    return loss.item(), grads


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    g = backward(cache)
    loss_t, g_t = torch_forward_backward(X, y, W1, b1, W2, b2)
    for name in ("W1", "b1", "W2", "b2", "X"):
        assert g_t[name] is not None, f"no torch gradient for {name}"
        ref = np.asarray(g_t[name])
        assert g[name].shape == ref.shape, f"{name}: shape"
        assert np.max(np.abs(g[name] - ref)) <= 1e-8 * np.max(np.abs(ref)), f"{name}: value"
    assert abs(loss - float(loss_t)) < 1e-8
    return True
