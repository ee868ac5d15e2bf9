import numpy as np
import torch
import torch.nn.functional as F

from utils import pull


# --- numpy forward ---------------------------------------------------------
def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1                                   # [B, H]
    H1 = np.maximum(Z1, 0)                             # [B, H]
    Z2 = H1 @ W2 + b2                                  # [B, C]
    m = Z2.max(axis=1, keepdims=True)
    logZ = m + np.log(np.exp(Z2 - m).sum(axis=1, keepdims=True))
    loss = (logZ[:, 0] - Z2[np.arange(len(y)), y]).mean()
    return loss, {"X": X, "y": y, "W1": W1, "b1": b1, "W2": W2, "b2": b2, "Z1": Z1, "H1": H1, "Z2": Z2}


# --- backward, one stage at a time -----------------------------------------
def linear(a, w, b):
    return a @ w + b


def relu(z):
    return z * (z > 0)


def mean_xent(y):
    def f(z):
        picked = z[range(len(y)), list(y)]
        return (z.logsumexp(1) - picked).mean()
    return f


def backward(cache):
    c = cache
    (dZ2,) = pull(mean_xent(c["y"]), [c["Z2"]], 1.0)
    dH1, dW2, db2 = pull(linear, [c["H1"], c["W2"], c["b2"]], dZ2)
    (dZ1,) = pull(relu, [c["Z1"]], dH1)
    dX, dW1, db1 = pull(linear, [c["X"], c["W1"], c["b1"]], dZ1)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


# --- torch -----------------------------------------------------------------
def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    w1, c1, w2, c2, x = leaves
    loss = F.cross_entropy(F.relu(x @ w1 + c1) @ w2 + c2, torch.as_tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), {k: t.grad.numpy() for k, t in zip(("W1", "b1", "W2", "b2", "X"), leaves)}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    g = backward(cache)
    tl, tg = torch_forward_backward(X, y, W1, b1, W2, b2)
    assert np.isclose(loss, tl, rtol=1e-4, atol=1e-5)
    for k, v in tg.items():
        assert np.allclose(g[k], v, rtol=1e-4, atol=1e-6), k
    return True


if __name__ == "__main__":
    rng = np.random.default_rng(8)
    verify(rng.normal(size=(7, 5)), rng.integers(0, 4, 7), rng.normal(size=(5, 6)), rng.normal(size=6),
           rng.normal(size=(6, 4)), rng.normal(size=4))
    print("ok")
