"""Your answer: a two-layer network by hand in NumPy, then with PyTorch autograd.

    X → (W1, b1) → Z1 → ReLU → H1 → (W2, b2) → Z2 → softmax + cross-entropy → loss

B examples, D features, H hidden units, C classes. Keep the names and the arguments of
the functions; add whatever helpers you like. Import torch at the top of this file, but
use it in `torch_forward_backward` and `verify` only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]  # float64 or float32
Labels = NDArray[np.integer[Any]]  # class indices 0 … C-1


def forward(
    X: Array,  # [B, D]
    y: Labels,  # [B]
    W1: Array,  # [D, H]
    b1: Array,  # [H]
    W2: Array,  # [H, C]
    b2: Array,  # [C]
) -> tuple[Any, Any]:
    """Part 1, NumPy only. Return `(loss, cache)`.

    `loss` is the mean softmax cross-entropy over the batch, a scalar. `cache` is what
    `backward` needs and nothing more; its form is up to you. State the shape of
    Z1 [B, H], H1 [B, H] and Z2 [B, C] where you compute them.
    """
    raise NotImplementedError


def backward(cache: Any) -> dict[str, Array]:
    """Part 2, NumPy only: the gradients of the loss, derived by hand.

    Return a dict with the keys W1 [D, H], b1 [H], W2 [H, C], b2 [C] and X [B, D]; each
    gradient has the shape of its tensor.
    """
    raise NotImplementedError


def torch_forward_backward(
    X: Array, y: Labels, W1: Array, b1: Array, W2: Array, b2: Array
) -> tuple[Any, dict[str, Any]]:
    """Part 3: the same network with PyTorch autograd. It is given NumPy arrays.

    Return `(loss, grads)`; `grads` has the keys and shapes of `backward`'s, and holds
    tensors or arrays.
    """
    raise NotImplementedError


def verify(X: Array, y: Labels, W1: Array, b1: Array, W2: Array, b2: Array) -> bool:
    """Part 3: whether your five gradients and autograd's agree, within a tight tolerance.

    Return True or False, or raise an AssertionError that says which one differs.
    """
    raise NotImplementedError


# Optional: gradient_check(X, y, W1, b1, W2, b2), which compares `backward` with finite
# differences and returns the largest relative error; and the layers of question 1,
# Linear(W, b), ReLU() and SoftmaxCrossEntropy(), with forward and backward.
