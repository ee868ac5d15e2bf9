import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1                       # [B, H]
    H1 = np.maximum(Z1, 0)                 # [B, H]
    Z2 = H1 @ W2 + b2                      # [B, C]
    # torch's log_softmax is already numerically stable, no need to write it again
    logP = F.log_softmax(torch.from_numpy(Z2), dim=1).numpy()
    loss = -logP[np.arange(len(y)), y].mean()
    return loss, (X, y, W1, W2, Z1, H1, np.exp(logP))


def backward(cache):
    X, y, W1, W2, Z1, H1, P = cache
    onehot = np.zeros_like(P)
    onehot[np.arange(len(y)), y] = 1
    dZ2 = (P - onehot) / len(y)            # [B, C]
    dW2 = H1.T @ dZ2                       # [H, C]
    db2 = dZ2.sum(axis=0)                  # [C]
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)          # [B, H]
    dW1 = X.T @ dZ1                        # [D, H]
    db1 = dZ1.sum(axis=0)                  # [H]
    dX = dZ1 @ W1.T                        # [B, D]
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    """The same formulas once more, on tensors."""
    X, W1, b1, W2, b2 = (torch.tensor(a) for a in (X, W1, b1, W2, b2))
    y = torch.tensor(y).long()
    Z1 = X @ W1 + b1
    H1 = F.relu(Z1)
    Z2 = H1 @ W2 + b2
    loss = F.cross_entropy(Z2, y)

    dZ2 = F.softmax(Z2, dim=1)
    dZ2[torch.arange(len(y)), y] -= 1
    dZ2 = dZ2 / len(y)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    return loss.item(), {
        "W1": X.T @ dZ1,
        "b1": dZ1.sum(dim=0),
        "W2": H1.T @ dZ2,
        "b2": dZ2.sum(dim=0),
        "X": dZ1 @ W1.T,
    }


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    tloss, ref = torch_forward_backward(X, y, W1, b1, W2, b2)
    tol = 1e-4 if X.dtype == np.float32 else 1e-9
    ok = abs(float(loss) - float(tloss)) < tol
    for k in ("W1", "b1", "W2", "b2", "X"):
        r = np.asarray(ref[k])
        ok = ok and mine[k].shape == r.shape
        ok = ok and np.abs(mine[k] - r).max() <= tol * np.abs(r).max()
    return bool(ok)
