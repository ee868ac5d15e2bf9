import numpy as np
import torch
import torch.nn.functional as F


# ---------- Part 1 ----------
def forward(X, y, W1, b1, W2, b2):
    # X: [B, D], W1: [D, H] -> Z1: [B, H]
    Z1 = X @ W1 + b1
    H1 = np.maximum(0, Z1)
    # H1: [B, H], W2: [H, C] -> Z2: [B, C]
    Z2 = H1 @ W2 + b2

    B = X.shape[0]
    Zmax = np.max(Z2, axis=1, keepdims=True)
    logsumexp = Zmax + np.log(np.sum(np.exp(Z2 - Zmax), axis=1, keepdims=True))
    log_probs = Z2 - logsumexp
    loss = -np.mean(log_probs[np.arange(B), y]

    cache = (X, y, W1, W2, Z1, H1, np.exp(log_probs))
    return loss, cache


# ---------- Part 2 ----------
def backward(cache):
    X, y, W1, W2, Z1, H1, probs = cache
    B = X.shape[0]

    dZ2 = probs.copy()               # [B, C]
    dZ2[np.arange(B), y] -= 1
    dZ2 /= B

    dW2 = H1.T @ dZ2                 # [H, C]
    db2 = np.sum(dZ2, axis=0)        # [C]
    dH1 = dZ2 @ W2.T                 # [B, H]

    dZ1 = dH1 * (Z1 > 0)             # [B, H]
    dW1 = X.T @ dZ1                  # [D, H]
    db1 = np.sum(dZ1, axis=0)        # [H]
    dX = dZ1 @ W1.T                  # [B, D]
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


# ---------- Part 3 ----------
def torch_forward_backward(X, y, W1, b1, W2, b2):
    X_t = torch.tensor(X, requires_grad=True)
    W1_t = torch.tensor(W1, requires_grad=True)
    b1_t = torch.tensor(b1, requires_grad=True)
    W2_t = torch.tensor(W2, requires_grad=True)
    b2_t = torch.tensor(b2, requires_grad=True)
    y_t = torch.tensor(y, dtype=torch.long)

    Z1 = X_t @ W1_t + b1_t
    H1 = F.relu(Z1)
    Z2 = H1 @ W2_t + b2_t
    loss = F.cross_entropy(Z2, y_t)
    loss.backward()
    return loss.item(), {"W1": W1_t.grad, "b1": b1_t.grad, "W2": W2_t.grad, "b2": b2_t.grad, "X": X_t.grad}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    grads = backward(cache)
    loss_t, grads_t = torch_forward_backward(X, y, W1, b1, W2, b2)
    assert np.allclose(loss, loss_t, rtol=1e-4, atol=1e-5)
    for key in grads:
        assert grads[key].shape == grads_t[key].shape
        assert np.allclose(grads[key], grads_t[key].numpy(), rtol=1e-4, atol=1e-6), key
    return True


if __name__ == "__main__":
    np.random.seed(0)
    B, D, H, C = 4, 5, 6, 3
    X = np.random.randn(B, D)
    y = np.random.randint(0, C, size=(B,))
    W1, b1 = np.random.randn(D, H), np.random.randn(H)
    W2, b2 = np.random.randn(H, C), np.random.randn(C)
    print("All gradients match:", verify(X, y, W1, b1, W2, b2))
