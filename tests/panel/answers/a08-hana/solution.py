"""Two-layer MLP: manual backprop in NumPy, autograd in PyTorch, and a comparison."""
from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]

RTOL: Final[float] = 1e-4
ATOL: Final[float] = 1e-6


@dataclass(frozen=True)
class Params:
    W1: FloatArray  # [D, H]
    b1: FloatArray  # [H]
    W2: FloatArray  # [H, C]
    b2: FloatArray  # [C]


@dataclass(frozen=True)
class Cache:
    X: FloatArray      # [B, D]
    y: IntArray        # [B]
    Z1: FloatArray     # [B, H]
    H1: FloatArray     # [B, H]
    probs: FloatArray  # [B, C]
    W1: FloatArray
    W2: FloatArray


@dataclass(frozen=True)
class Grads:
    W1: FloatArray
    b1: FloatArray
    W2: FloatArray
    b2: FloatArray
    X: FloatArray


def _log_softmax(logits: FloatArray) -> FloatArray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def forward(X: FloatArray, y: IntArray, params: Params) -> tuple[float, Cache]:
    Z1 = X @ params.W1 + params.b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ params.W2 + params.b2
    log_probs = _log_softmax(Z2)
    loss = -np.take_along_axis(log_probs, y[:, None], axis=1).mean()
    return float(loss), Cache(X, y, Z1, H1, np.exp(log_probs), params.W1, params.W2)


def _linear_vjp(
    upstream: FloatArray, inputs: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Gradients of ``inputs @ weight + bias``: (d_weight, d_bias, d_inputs)."""
    return inputs.T @ upstream, upstream.sum(axis=0), upstream @ weight.T


def backward(cache: Cache) -> Grads:
    batch = cache.X.shape[0]
    dZ2 = cache.probs.copy()
    dZ2[np.arange(batch), cache.y] -= 1
    dZ2 /= batch  # the only place 1/B appears

    dW2, db2, dH1 = _linear_vjp(dZ2, cache.H1, cache.W2)
    dZ1 = np.where(cache.Z1 > 0, dH1, 0)  # subgradient 0 at z == 0
    dW1, db1, dX = _linear_vjp(dZ1, cache.X, cache.W1)
    return Grads(W1=dW1, b1=db1, W2=dW2, b2=db2, X=dX)


def torch_forward_backward(X: FloatArray, y: IntArray, params: Params) -> tuple[float, Grads]:
    def leaf(a: FloatArray) -> torch.Tensor:
        return torch.tensor(a).requires_grad_()

    x, w1, c1, w2, c2 = map(leaf, (X, params.W1, params.b1, params.W2, params.b2))
    logits = F.linear(F.relu(F.linear(x, w1.t(), c1)), w2.t(), c2)
    loss = F.cross_entropy(logits, torch.tensor(y).long())
    loss.backward()
    return loss.item(), Grads(
        W1=w1.grad.numpy(), b1=c1.grad.numpy(), W2=w2.grad.numpy(), b2=c2.grad.numpy(), X=x.grad.numpy()
    )


def verify(X: FloatArray, y: IntArray, params: Params) -> bool:
    loss, cache = forward(X, y, params)
    manual = backward(cache)
    torch_loss, auto = torch_forward_backward(X, y, params)
    if not np.isclose(loss, torch_loss, rtol=RTOL):
        return False
    for field in fields(Grads):
        ours, theirs = getattr(manual, field.name), getattr(auto, field.name)
        if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=RTOL, atol=ATOL):
            return False
    return True


def _demo() -> None:
    rng = np.random.default_rng(2024)
    B, D, H, C = 64, 128, 256, 10
    params = Params(
        W1=rng.normal(scale=np.sqrt(2 / D), size=(D, H)),
        b1=np.zeros(H),
        W2=rng.normal(scale=np.sqrt(2 / H), size=(H, C)),
        b2=np.zeros(C),
    )
    print("manual == autograd:", verify(rng.normal(size=(B, D)), rng.integers(0, C, size=B), params))


if __name__ == "__main__":
    _demo()
