"""The model answer: a two-layer network, by hand in NumPy and by autograd in PyTorch.

    X → (W1, b1) → Z1 → ReLU → H1 → (W2, b2) → Z2 → softmax + cross-entropy → loss

Shapes: X [B, D], y [B], W1 [D, H], b1 [H], W2 [H, C], b2 [C]. The loss is the mean
over the batch. Arithmetic stays in the dtype that comes in; no argument is changed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

Array = NDArray[Any]
NAMES = ("W1", "b1", "W2", "b2", "X")


class Cache(NamedTuple):
    """What backward reads, and nothing else: b1, b2 and Z2 do not occur in any gradient."""

    X: Array  # [B, D]
    y: Array  # [B]
    W1: Array  # [D, H]
    W2: Array  # [H, C]
    Z1: Array  # [B, H], decides where ReLU lets the gradient through
    H1: Array  # [B, H]
    P: Array  # [B, C], softmax of the logits


# ── part 1 and 2: by hand ────────────────────────────────────────────────────


def softmax_cross_entropy(Z2: Array, y: Array) -> tuple[Any, Array]:
    """Mean cross-entropy (a scalar) and the probabilities P [B, C] of the logits Z2 [B, C].

    The loss is log Σ exp(Z2) − Z2[y] after each row's maximum is taken off, never
    log(P): it is right even where P underflows to zero.
    """
    shifted = Z2 - Z2.max(axis=1, keepdims=True)  # [B, C], at most 0
    exp = np.exp(shifted)  # [B, C]
    total = exp.sum(axis=1, keepdims=True)  # [B, 1], at least 1
    picked = shifted[np.arange(len(y)), y]  # [B], the true class of each row
    loss = np.mean(np.log(total[:, 0]) - picked)  # scalar
    return loss, exp / total


def softmax_cross_entropy_gradient(P: Array, y: Array) -> Array:
    """dZ2 [B, C] = (P − onehot(y)) / B. This is the one place where 1/B enters."""
    dZ2 = P.copy()  # the cache stays as it is
    dZ2[np.arange(len(y)), y] -= 1
    return dZ2 / len(y)


def forward(X: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> tuple[Any, Cache]:
    """Return the mean loss and what `backward` needs."""
    Z1 = X @ W1 + b1  # [B, D] @ [D, H] + [H] -> [B, H]
    H1 = np.maximum(Z1, 0)  # [B, H]
    Z2 = H1 @ W2 + b2  # [B, H] @ [H, C] + [C] -> [B, C]
    loss, P = softmax_cross_entropy(Z2, y)
    return loss, Cache(X, y, W1, W2, Z1, H1, P)


def backward(cache: Cache) -> dict[str, Array]:
    """Return dloss/d· for W1, b1, W2, b2 and X, each in the shape of its tensor."""
    X, y, W1, W2, Z1, H1, P = cache
    dZ2 = softmax_cross_entropy_gradient(P, y)  # [B, C]
    dW2 = H1.T @ dZ2  # [H, B] @ [B, C] -> [H, C]
    db2 = dZ2.sum(axis=0)  # [C]
    dH1 = dZ2 @ W2.T  # [B, C] @ [C, H] -> [B, H]
    dZ1 = dH1 * (Z1 > 0)  # [B, H]; the derivative at exactly 0 is taken as 0
    dW1 = X.T @ dZ1  # [D, B] @ [B, H] -> [D, H]
    db1 = dZ1.sum(axis=0)  # [H]
    dX = dZ1 @ W1.T  # [B, H] @ [H, D] -> [B, D]
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


# ── part 3: by autograd, and the comparison ──────────────────────────────────


def torch_forward_backward(
    X: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array
) -> tuple[Any, dict[str, Array]]:
    """Return the loss and the five gradients that autograd finds, as NumPy arrays.

    The leaves are fresh copies in each call, so no gradient of an earlier call adds up.
    """
    given = {"X": X, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in given.items()}
    hidden = torch.relu(leaves["X"] @ leaves["W1"] + leaves["b1"])  # [B, H]
    logits = hidden @ leaves["W2"] + leaves["b2"]  # [B, C]: logits, not probabilities
    loss = cross_entropy(logits, torch.tensor(y, dtype=torch.int64))  # mean over the batch
    loss.backward()
    return loss.detach().numpy()[()], {name: leaves[name].grad.numpy() for name in NAMES}


def verify(X: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> bool:
    """Whether the loss and all five gradients of both sides agree to rounding error.

    Each entry is a chain of sums of at most B, D, H or C products, so its error is
    within a small multiple of (B + D + H + C) · eps of the tensor's largest entry.
    """
    arguments = (X, y, W1, b1, W2, b2)
    loss, cache = forward(*arguments)
    by_hand = backward(cache)
    torch_loss, by_autograd = torch_forward_backward(*arguments)
    (batch, features), (hidden, classes) = X.shape, W2.shape
    limit = 8 * (batch + features + hidden + classes) * float(np.finfo(X.dtype).eps)
    pairs = {name: (by_hand[name], np.asarray(by_autograd[name])) for name in NAMES}
    pairs["loss"] = (np.asarray(loss), np.asarray(torch_loss))
    return all(_agree(mine, theirs, limit) for mine, theirs in pairs.values())


def _agree(mine: Array, theirs: Array, limit: float) -> bool:
    """Same shape, and no entry further off than `limit` of the largest; NaN never agrees."""
    if mine.shape != theirs.shape:
        return False
    return bool(np.max(np.abs(mine - theirs)) <= limit * np.max(np.abs(theirs)))


# ── follow-ups ───────────────────────────────────────────────────────────────


def gradient_check(
    X: Array, y: Array, W1: Array, b1: Array, W2: Array, b2: Array, entries: int = 100
) -> float:
    """Largest relative error of `backward` against central differences of `forward`.

    (f(x + h) − f(x − h)) / 2h in float64, whatever comes in, with h = eps^(1/3) · max(1, |x|):
    there the truncation h² and the rounding eps/h are equal. Of a larger tensor `entries`
    entries are drawn. The error is relative to the tensor's largest gradient.
    """
    gradients = backward(forward(X, y, W1, b1, W2, b2)[1])
    given = {"X": X, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
    working = {name: np.array(value, np.float64) for name, value in given.items()}
    root = float(np.finfo(np.float64).eps) ** (1 / 3)
    rng = np.random.default_rng(0)
    worst = 0.0
    for name in NAMES:
        values, mine = working[name].reshape(-1), gradients[name].reshape(-1)
        chosen = rng.choice(values.size, min(entries, values.size), replace=False)
        numeric = np.empty(len(chosen))
        for row, index in enumerate(chosen):
            kept = values[index]
            step = root * max(1.0, abs(kept))
            values[index] = up = kept + step
            above = forward(y=y, **working)[0]
            values[index] = down = kept - step
            below = forward(y=y, **working)[0]
            values[index] = kept
            numeric[row] = (above - below) / (up - down)  # the step that was really made
        scale = max(np.max(np.abs(numeric)), np.max(np.abs(mine)), root)
        worst = float(np.maximum(worst, np.max(np.abs(numeric - mine[chosen])) / scale))
    return worst


class Linear:
    """x [B, in] → x W + b [B, out]; `backward` leaves dW [in, out] and db [out]."""

    def __init__(self, W: Array, b: Array) -> None:
        self.W, self.b = W, b

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.W + self.b

    def backward(self, upstream: Array) -> Array:
        self.dW = self.x.T @ upstream
        self.db = upstream.sum(axis=0)
        return upstream @ self.W.T  # [B, in]


class ReLU:
    """x → max(x, 0); passes the gradient where x > 0."""

    def forward(self, x: Array) -> Array:
        self.active = x > 0
        return np.maximum(x, 0)

    def backward(self, upstream: Array) -> Array:
        return upstream * self.active


class SoftmaxCrossEntropy:
    """logits [B, C], y [B] → mean loss; the two are one layer, so the gradient is (P − Y)/B."""

    def forward(self, logits: Array, y: Array) -> Any:
        loss, self.P = softmax_cross_entropy(logits, y)
        self.y = y
        return loss

    def backward(self) -> Array:
        return softmax_cross_entropy_gradient(self.P, self.y)
