"""
Linear response of the loss of a two-layer network.

Every gradient component is the response of the scalar loss to a small displacement of one
coordinate. Symmetric displacements kill the even terms of the expansion, leaving O(eps^2).
"""
import numpy as np
import torch
import torch.nn.functional as F

EPS = 6e-6          # ~ cube root of the machine epsilon
COORDS = ("W1", "b1", "W2", "b2", "X")


def log_partition(E):
    m = E.max(axis=1, keepdims=True)
    return (m + np.log(np.exp(E - m).sum(axis=1, keepdims=True)))


def free_energy(state, y):
    Z1 = state["X"] @ state["W1"] + state["b1"]       # [B, H]
    H1 = np.maximum(Z1, 0)                            # [B, H]
    Z2 = H1 @ state["W2"] + state["b2"]               # [B, C]
    logp = Z2 - log_partition(Z2)                     # [B, C]
    return -logp[np.arange(len(y)), y].mean()


def forward(X, y, W1, b1, W2, b2):
    state = {"X": X, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
    return free_energy(state, y), {"state": state, "y": y}


def response(state, y, coord, eps=EPS):
    chi = np.zeros_like(state[coord])
    displaced = dict(state)
    q = displaced[coord] = np.array(state[coord])
    for i in np.ndindex(q.shape):
        q0 = q[i]
        q[i] = q0 + eps
        up = free_energy(displaced, y)
        q[i] = q0 - eps
        down = free_energy(displaced, y)
        q[i] = q0
        chi[i] = (up - down) / (2 * eps)
    return chi


def backward(cache):
    return {c: response(cache["state"], cache["y"], c) for c in COORDS}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = {k: torch.tensor(v, requires_grad=True) for k, v in zip(COORDS, (W1, b1, W2, b2, X))}
    Z2 = F.relu(t["X"] @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"]
    loss = F.cross_entropy(Z2, torch.as_tensor(y, dtype=torch.int64))
    loss.backward()
    return loss.item(), {k: v.grad.numpy() for k, v in t.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    chi = backward(cache)
    ref_loss, ref = torch_forward_backward(X, y, W1, b1, W2, b2)
    return bool(np.isclose(loss, ref_loss)) and all(
        np.allclose(chi[c], ref[c], rtol=1e-5, atol=1e-7) for c in COORDS
    )


if __name__ == "__main__":
    rng = np.random.default_rng(299792458)
    print(verify(rng.normal(size=(6, 4)), rng.integers(0, 3, 6), rng.normal(size=(4, 5)), rng.normal(size=5),
                 rng.normal(size=(5, 3)), rng.normal(size=3)))
