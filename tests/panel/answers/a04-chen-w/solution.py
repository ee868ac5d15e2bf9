"""
Implement Backprop for a Tiny Network
=====================================

Shapes (said once, used everywhere):

    X   [B, D]      W1 [D, H]   b1 [H]
    Z1  [B, H]      H1 [B, H]
    Z2  [B, C]      W2 [H, C]   b2 [C]
    loss: scalar

Part 3 in words: every torch op on a tensor that requires grad records a node
(grad_fn) while the code runs, so the graph is built by executing the forward
pass. loss.backward() walks it from the loss to the leaves, multiplying
vector-Jacobian products, and *adds* the result into leaf.grad. That is why
zero_grad() is needed between steps. Here I create new leaves each time.
"""

import numpy as np
import torch
import torch.nn.functional as F


def to_one_hot(y, num_classes):
    """[B] integer labels -> [B, C] matrix with a single 1 per row."""
    one_hot = np.zeros((y.shape[0], num_classes))
    one_hot[np.arange(y.shape[0]), y] = 1.0
    return one_hot


def stable_log_softmax(logits):
    """Row-wise log-softmax.

    Subtracting the row maximum multiplies numerator and denominator of the
    softmax by the same exp(-max), so the result does not change, but the
    largest exponent is now 0 and exp can't overflow.
    """
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_normalizer = np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return shifted - log_normalizer


def cross_entropy(log_probs, one_hot):
    """Mean cross-entropy over the batch."""
    return -np.mean(one_hot * log_probs)


def forward(X, y, W1, b1, W2, b2):
    # First linear layer. b1 is [H]: one bias per hidden unit, broadcast over rows.
    Z1 = np.matmul(X, W1) + b1
    # ReLU
    H1 = np.maximum(Z1, 0.0)
    # Second linear layer gives raw logits.
    Z2 = np.matmul(H1, W2) + b2

    log_probs = stable_log_softmax(Z2)
    one_hot = to_one_hot(y, Z2.shape[1]).astype(Z2.dtype)
    loss = cross_entropy(log_probs, one_hot)

    # What backward will read: nothing else is needed.
    cache = {
        "X": X,
        "W1": W1,
        "W2": W2,
        "Z1": Z1,
        "H1": H1,
        "probs": np.exp(log_probs),
        "one_hot": one_hot,
    }
    return loss, cache


def backward(cache):
    batch_size = cache["X"].shape[0]

    # Softmax composed with cross-entropy: probabilities minus one-hot, averaged over
    # the batch. The 1/B enters here and flows to everything upstream on its own.
    dZ2 = (cache["probs"] - cache["one_hot"]) / batch_size      # [B, C]

    # Second linear layer.
    dW2 = np.matmul(cache["H1"].T, dZ2)                         # [H, C]
    db2 = np.sum(dZ2, axis=0)                                   # [C]
    dH1 = np.matmul(dZ2, cache["W2"].T)                         # [B, H]

    # ReLU gate, from the pre-activation. At exactly zero the gradient is zero.
    dZ1 = np.where(cache["Z1"] > 0, dH1, 0.0)                   # [B, H]

    # First linear layer.
    dW1 = np.matmul(cache["X"].T, dZ1)                          # [D, H]
    db1 = np.sum(dZ1, axis=0)                                   # [H]
    dX = np.matmul(dZ1, cache["W1"].T)                          # [B, D]

    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X_t = torch.tensor(X, requires_grad=True)
    W1_t = torch.tensor(W1, requires_grad=True)
    b1_t = torch.tensor(b1, requires_grad=True)
    W2_t = torch.tensor(W2, requires_grad=True)
    b2_t = torch.tensor(b2, requires_grad=True)
    y_t = torch.tensor(y, dtype=torch.int64)

    hidden = F.relu(torch.matmul(X_t, W1_t) + b1_t)
    logits = torch.matmul(hidden, W2_t) + b2_t
    loss = F.cross_entropy(logits, y_t, reduction="mean")
    loss.backward()

    grads = {
        "W1": W1_t.grad.numpy(),
        "b1": b1_t.grad.numpy(),
        "W2": W2_t.grad.numpy(),
        "b2": b2_t.grad.numpy(),
        "X": X_t.grad.numpy(),
    }
    return loss.item(), grads


def verify(X, y, W1, b1, W2, b2):
    """All five gradients, hand-derived against autograd, same inputs."""
    _, cache = forward(X, y, W1, b1, W2, b2)
    manual = backward(cache)
    _, auto = torch_forward_backward(X, y, W1, b1, W2, b2)

    for name in ["W1", "b1", "W2", "b2", "X"]:
        if manual[name].shape != auto[name].shape:
            return False
        if not np.allclose(manual[name], auto[name], rtol=1e-4, atol=1e-6):
            return False
    return True


if __name__ == "__main__":
    rng = np.random.default_rng(seed=7)
    B, D, H, C = 8, 6, 10, 4
    args = (
        rng.standard_normal((B, D)),
        rng.integers(0, C, size=B),
        rng.standard_normal((D, H)) / np.sqrt(D),
        rng.standard_normal(H),
        rng.standard_normal((H, C)) / np.sqrt(H),
        rng.standard_normal(C),
    )
    print("gradients agree:", verify(*args))
