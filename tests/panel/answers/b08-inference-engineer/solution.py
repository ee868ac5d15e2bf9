"""
Shapes: X [B,D]  W1 [D,H]  b1 [H]  Z1,H1 [B,H]  W2 [H,C]  b2 [C]  Z2 [B,C]  loss []
"""
import numpy as np
import torch
import torch.nn.functional as F

NAMES = ("X", "W1", "b1", "W2", "b2")


# ---------------------------------------------------------------- numpy
def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1
    Z1 += b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2
    Z2 += b2
    Z2 -= Z2.max(axis=1, keepdims=True)          # shift, softmax is invariant
    rows = np.arange(X.shape[0])
    E = np.exp(Z2)
    S = E.sum(axis=1, keepdims=True)
    loss = float(np.mean(np.log(S[:, 0]) - Z2[rows, y]))
    E /= S
    return loss, dict(X=X, y=y, W1=W1, W2=W2, Z1=Z1, H1=H1, P=E, rows=rows)


def backward(c):
    B = c["X"].shape[0]
    dZ2 = c["P"] * (1.0 / B)
    dZ2[c["rows"], c["y"]] -= 1.0 / B
    dZ1 = dZ2 @ c["W2"].T
    grads = {"W2": c["H1"].T @ dZ2, "b2": dZ2.sum(axis=0)}
    dZ1[c["Z1"] <= 0] = 0
    grads["W1"] = c["X"].T @ dZ1
    grads["b1"] = dZ1.sum(axis=0)
    grads["X"] = dZ1 @ c["W1"].T
    return grads


# ---------------------------------------------------------------- torch
# Leaves are kept per (name, shape, dtype), so a serving loop does not allocate on every call.
_leaves = {}


def _leaf(name, array):
    src = torch.from_numpy(np.ascontiguousarray(array))
    key = (name, tuple(src.shape), src.dtype)
    t = _leaves.get(key)
    if t is None:
        t = _leaves[key] = torch.empty_like(src).requires_grad_(True)
    with torch.no_grad():
        t.copy_(src)
    return t


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [_leaf(n, a) for n, a in zip(NAMES, (X, W1, b1, W2, b2))]
    x, w1, c1, w2, c2 = leaves
    target = torch.as_tensor(y, dtype=torch.int64)
    logits = torch.addmm(c2, torch.relu(torch.addmm(c1, x, w1)), w2)
    loss = F.cross_entropy(logits, target)
    loss.backward()
    return loss.item(), {n: t.grad.detach().clone() for n, t in zip(NAMES, leaves)}


# ---------------------------------------------------------------- check
def verify(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (np.asarray(a, dtype=np.float64) for a in (X, W1, b1, W2, b2))
    loss, cache = forward(X, y, W1, b1, W2, b2)
    g = backward(cache)
    loss_t, gt = torch_forward_backward(X, y, W1, b1, W2, b2)
    if abs(loss - loss_t) > 1e-10 * max(1.0, abs(loss)):
        return False
    for n in NAMES:
        ref = gt[n].numpy()
        if g[n].shape != ref.shape:
            return False
        if np.abs(g[n] - ref).max() > 1e-9 * max(np.abs(ref).max(), 1e-3):
            return False
    return True


if __name__ == "__main__":
    rng = np.random.default_rng(5)
    B, D, H, C = 64, 128, 256, 10
    ok = verify(rng.standard_normal((B, D)), rng.integers(0, C, B),
                rng.standard_normal((D, H)) * 0.1, np.zeros(H),
                rng.standard_normal((H, C)) * 0.1, np.zeros(C))
    print("OK" if ok else "MISMATCH")
