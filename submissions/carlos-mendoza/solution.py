import numpy as np
import torch

# I learnt this with examples as COLUMNS, so I transpose X at the door and then
# everything is W.T x + b with shapes (units, B).


def add_bias(Z, b):
    """Z + b, as a row or as a column, whichever fits."""
    if Z.shape[1] == b.shape[0]:
        return Z + b
    return Z + b[:, None]


def forward(X, y, W1, b1, W2, b2):
    A0 = X.T                                            # (D, B)
    m = A0.shape[1]
    Z1 = add_bias(W1.T @ A0, b1)                        # (H, B)
    A1 = np.maximum(Z1, 0)                              # (H, B)
    Z2 = add_bias(W2.T @ A1, b2)                        # (C, B)
    Z2 = Z2 - Z2.max(axis=0)                            # max over classes = axis 0 here
    logP = Z2 - np.log(np.exp(Z2).sum(axis=0))
    loss = -logP[y, np.arange(m)].mean()
    return loss, {"A0": A0, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "A1": A1, "P": np.exp(logP)}


def backward(cache):
    A0, A1, W1, W2, y = cache["A0"], cache["A1"], cache["W1"], cache["W2"], cache["y"]
    m = A0.shape[1]
    dZ2 = cache["P"].copy()                             # (C, B)
    dZ2[y, np.arange(m)] -= 1
    dZ2 /= m
    dW2 = dZ2 @ A1.T                                    # (C, H)
    db2 = dZ2.sum(axis=1)                               # (C,)
    dZ1 = (W2 @ dZ2) * (cache["Z1"] > 0)                # (H, B)
    dW1 = dZ1 @ A0.T                                    # (H, D)
    db1 = dZ1.sum(axis=1)                               # (H,)
    dX = W1 @ dZ1                                       # (D, B)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    """Same thing in torch, in the usual row layout."""
    given = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "X": X}
    t = {k: torch.tensor(v, requires_grad=True) for k, v in given.items()}
    A1 = torch.relu(t["X"] @ t["W1"] + t["b1"])
    logits = A1 @ t["W2"] + t["b2"]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {k: leaf.grad for k, leaf in t.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    tloss, theirs = torch_forward_backward(X, y, W1, b1, W2, b2)
    assert abs(loss - float(tloss)) < 1e-9
    for k in ("W1", "b1", "W2", "b2", "X"):
        ref = np.asarray(theirs[k])
        assert mine[k].shape == ref.shape, f"{k}: {mine[k].shape} against {ref.shape}"
        assert np.abs(mine[k] - ref).max() < 1e-9 * np.abs(ref).max(), k
    return True
