from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray


class TinyMLP:
    """X -> Linear -> ReLU -> Linear -> softmax CE (mean)."""

    def __init__(self, W1: Array, b1: Array, W2: Array, b2: Array) -> None:
        self.W1, self.b1, self.W2, self.b2 = W1, b1, W2, b2

    def forward(self, X: Array, y: Array) -> tuple[float, dict[str, Array]]:
        Z1 = X @ self.W1 + self.b1                     # [B, H]
        H1 = np.where(Z1 > 0, Z1, 0)                   # [B, H]
        Z2 = H1 @ self.W2 + self.b2                    # [B, C]
        m = Z2.max(axis=1, keepdims=True)
        lse = m + np.log(np.exp(Z2 - m).sum(axis=1, keepdims=True))
        rows = np.arange(X.shape[0])
        loss = float(np.mean(lse[:, 0] - Z2[rows, y]))
        return loss, {"X": X, "y": y, "Z1": Z1, "H1": H1, "P": np.exp(Z2 - lse)}

    def backward(self, cache: dict[str, Array]) -> dict[str, Array]
        X, y = cache["X"], cache["y"]
        B = X.shape[0]

        G = cache["P"].copy()                          # dL/dZ2
        G[np.arange(B), y] -= 1.0
        G /= B

        D1 = (G @ self.W2.T) * (cache["Z1"] > 0)       # dL/dZ1
        return {
            "W2": cache["H1"].T @ G,
            "b2": G.sum(axis=0),
            "W1": X.T @ D1,
            "b1": D1.sum(axis=0),
            "X": D1 @ self.W1.T,
        }


class TorchMLP(torch.nn.Module):
    def __init__(self, W1: Array, b1: Array, W2: Array, b2: Array) -> None:
        super().__init__()
        self.W1 = torch.nn.Parameter(torch.tensor(W1))
        self.b1 = torch.nn.Parameter(torch.tensor(b1))
        self.W2 = torch.nn.Parameter(torch.tensor(W2))
        self.b2 = torch.nn.Parameter(torch.tensor(b2))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x @ self.W1 + self.b1) @ self.W2 + self.b2


def torch_grads(X: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> tuple[float, dict[str, Array]]:
    net = TorchMLP(W1, b1, W2, b2)
    x = torch.tensor(X, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(net(x), torch.tensor(y, dtype=torch.long))
    net.zero_grad()
    loss.backward()
    out = {name: p.grad.numpy() for name, p in net.named_parameters()}
    out["X"] = x.grad.numpy()
    return loss.item(), out


def verify(X: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> bool:
    net = TinyMLP(W1, b1, W2, b2)
    loss, cache = net.forward(X, y)
    ours = net.backward(cache)
    ref_loss, ref = torch_grads(X, y, W1, b1, W2, b2)
    same = [abs(loss - ref_loss) < 1e-5]
    for k in ("W1", "b1", "W2", "b2", "X"):
        same.append(ours[k].shape == ref[k].shape and np.allclose(ours[k], ref[k], rtol=1e-4, atol=1e-6))
    return all(same)


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    B, D, H, C = 32, 20, 40, 10
    print(verify(
        rng.standard_normal((B, D)), rng.integers(0, C, B),
        0.1 * rng.standard_normal((D, H)), np.zeros(H),
        0.1 * rng.standard_normal((H, C)), np.zeros(C),
    ))
