import numpy as np
import torch
import torch.nn.functional as F

LEAVES = {}   # torch parameters, built once per problem size and then reused


def one_hot(y):
    n_classes = len(np.unique(y))
    return np.eye(n_classes)[y]


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1                                  # (B,H)
    H1 = np.maximum(Z1, 0)                            # (B,H)
    Z2 = H1 @ W2 + b2                                 # (B,C)
    Z2 = Z2 - Z2.max(axis=1, keepdims=True)
    logP = Z2 - np.log(np.exp(Z2).sum(axis=1, keepdims=True))
    Y = one_hot(y).astype(X.dtype)                    # (B,C)
    loss = -(Y * logP).sum() / X.dtype.type(len(y))
    return loss, {"X": X, "Y": Y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": np.exp(logP)}


def backward(cache):
    X, Y, W1, W2 = cache["X"], cache["Y"], cache["W1"], cache["W2"]
    dZ2 = (cache["P"] - Y) / len(Y)
    dW2 = cache["H1"].T @ dZ2
    db2 = dZ2.sum(axis=0)
    dZ1 = dZ2 @ W2.T * (cache["Z1"] > 0)
    dW1 = X.T @ dZ1
    db1 = dZ1.sum(axis=0)
    dX = dZ1 @ W1.T
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def leaves_for(X, W1, b1, W2, b2):
    """Reuse the parameter tensors of the last call of this size, with the new values."""
    key = (X.shape, W2.shape, X.dtype.str)
    values = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "X": X}
    if key not in LEAVES:
        LEAVES[key] = {k: torch.tensor(v, requires_grad=True) for k, v in values.items()}
    with torch.no_grad():
        for k, v in values.items():
            LEAVES[key][k].copy_(torch.tensor(v))
    return LEAVES[key]


def torch_forward_backward(X, y, W1, b1, W2, b2):
    p = leaves_for(X, W1, b1, W2, b2)
    logits = F.relu(p["X"] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    loss = F.cross_entropy(logits, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {k: t.grad.numpy().copy() for k, t in p.items()}


# verify: not done. The numpy part still fails on some batches (IndexError in one_hot,
# depends on the labels?), so there was nothing to compare yet.
