# ---------------------------------------------------------------
#  Manual backprop exercise
#  Bjørn Halvorsen
#
#  Notation: B = batch, D = input features, H = hidden, C = classes.
#  dQ always means d(loss)/dQ and has exactly the shape of Q.
# ---------------------------------------------------------------

import numpy as np
import torch


def forward(X, y, W1, b1, W2, b2):
    """Forward pass. Returns the mean cross-entropy and a dict for backward."""
    batch = X.shape[0]

    # First affine layer: (B,D) x (D,H) -> (B,H). b1 is broadcast over rows.
    Z1 = np.dot(X, W1) + b1

    # ReLU. I write it as a copy-and-clear, the same way as its derivative below.
    H1 = Z1.copy()
    H1[Z1 <= 0] = 0

    # Second affine layer: (B,H) x (H,C) -> (B,C). These are the logits.
    Z2 = np.dot(H1, W2) + b2

    # Softmax. Subtracting the row max leaves the probabilities as they are
    # (numerator and denominator get the same factor) but exp cannot overflow.
    row_max = np.max(Z2, axis=1, keepdims=True)          # (B,1)
    shifted = Z2 - row_max                               # (B,C), all <= 0
    E = np.exp(shifted)                                  # (B,C), all in [0,1]
    row_sum = np.sum(E, axis=1, keepdims=True)           # (B,1), all >= 1
    P = E / row_sum                                      # (B,C)

    # -log p_y = log(sum) - shifted_y. Computed this way, NOT as -log(P): P can be
    # exactly zero, but this expression is always finite.
    rows = np.arange(batch)
    nll = np.log(row_sum[:, 0]) - shifted[rows, y]       # (B,)
    loss = np.mean(nll)

    # b1 and b2 do not show up in any derivative, so they are not saved.
    cache = {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": P}
    return loss, cache


def backward(cache):
    """Backward pass, in the reverse order of forward."""
    X, y = cache["X"], cache["y"]
    batch = X.shape[0]

    # Softmax + cross-entropy together: (P - onehot) and 1/B from the mean.
    dZ2 = cache["P"].copy()                              # (B,C)
    dZ2[np.arange(batch), y] -= 1
    dZ2 = dZ2 / batch

    # Z2 = H1 W2 + b2
    dW2 = np.dot(cache["H1"].T, dZ2)                     # (H,B)x(B,C) -> (H,C)
    db2 = np.sum(dZ2, axis=0)                            # (C,)
    dH1 = np.dot(dZ2, cache["W2"].T)                     # (B,C)x(C,H) -> (B,H)

    # ReLU: nothing flows where the unit was off. (Convention: 0 at Z1 == 0.)
    dZ1 = dH1.copy()
    dZ1[cache["Z1"] <= 0] = 0                            # (B,H)

    # Z1 = X W1 + b1
    dW1 = np.dot(X.T, dZ1)                               # (D,B)x(B,H) -> (D,H)
    db1 = np.sum(dZ1, axis=0)                            # (H,)
    dX = np.dot(dZ1, cache["W1"].T)                      # (B,H)x(H,D) -> (B,D)

    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    """The same network, with autograd doing the derivative."""
    params = {}
    for name, value in [("X", X), ("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2)]:
        t = torch.from_numpy(value.copy())               # fresh leaf each call
        t.requires_grad_(True)
        params[name] = t
    labels = torch.from_numpy(y.astype(np.int64))

    hidden = torch.clamp(params["X"].mm(params["W1"]) + params["b1"], min=0)
    logits = hidden.mm(params["W2"]) + params["b2"]
    criterion = torch.nn.CrossEntropyLoss()              # default reduction: mean
    loss = criterion(logits, labels)                     # raw logits go in
    loss.backward()

    grads = {name: t.grad.numpy() for name, t in params.items()}
    return loss.detach().numpy(), grads


def verify(X, y, W1, b1, W2, b2):
    """Assert that both sides agree; raises AssertionError with the tensor's name."""
    loss_np, cache = forward(X, y, W1, b1, W2, b2)
    grads_np = backward(cache)
    loss_t, grads_t = torch_forward_backward(X, y, W1, b1, W2, b2)

    rtol = 1e4 * np.finfo(X.dtype).eps
    assert abs(float(loss_np) - float(loss_t)) <= rtol * (1 + abs(float(loss_t))), "loss"
    for name in ("W1", "b1", "W2", "b2", "X"):
        ours = grads_np[name]
        ref = np.asarray(grads_t[name])
        assert ours.shape == ref.shape, f"shape of d{name}: {ours.shape} vs {ref.shape}"
        biggest = np.max(np.abs(ref))
        assert np.max(np.abs(ours - ref)) <= rtol * biggest, f"values of d{name}"
    return True
