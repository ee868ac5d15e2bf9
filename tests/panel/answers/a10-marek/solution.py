"""Tiny MLP, modular backward: each stage is pulled back with its local VJP."""
import numpy as np
import torch
import torch.nn.functional as F

from calculus import affine, pull_back, rectify


def forward(X, y, W1, b1, W2, b2):
    Z1 = affine(X, W1, b1)                              # [B, H]
    H1 = rectify(Z1)                                    # [B, H]
    Z2 = affine(H1, W2, b2)                             # [B, C]
    m = Z2.max(axis=1, keepdims=True)
    lse = m + np.log(np.exp(Z2 - m).sum(axis=1, keepdims=True))
    loss = (lse[:, 0] - Z2[np.arange(len(y)), y]).mean()
    return loss, {"X": X, "W1": W1, "b1": b1, "Z1": Z1, "H1": H1, "W2": W2, "b2": b2, "Z2": Z2, "y": y}


def backward(cache):
    # loss -> Z2
    labels = torch.as_tensor(cache["y"], dtype=torch.long)
    (dZ2,) = pull_back(lambda z: F.cross_entropy(z, labels), (cache["Z2"],), 1.0)
    # Z2 -> H1, W2, b2
    dH1, dW2, db2 = pull_back(affine, (cache["H1"], cache["W2"], cache["b2"]), dZ2)
    # H1 -> Z1
    (dZ1,) = pull_back(torch.relu, (cache["Z1"],), dH1)
    # Z1 -> X, W1, b1
    dX, dW1, db1 = pull_back(affine, (cache["X"], cache["W1"], cache["b1"]), dZ1)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2)
    t = {k: torch.tensor(v, requires_grad=True) for k, v in t.items()}
    logits = torch.relu(t["X"] @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"]
    loss = F.cross_entropy(logits, torch.tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), {k: v.grad.numpy() for k, v in t.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    a = backward(cache)
    tl, b = torch_forward_backward(X, y, W1, b1, W2, b2)
    assert np.isclose(loss, tl, rtol=1e-5)
    for k in b:
        assert a[k].shape == b[k].shape, k
        np.testing.assert_allclose(a[k], b[k], rtol=1e-4, atol=1e-6, err_msg=k)
    return True


if __name__ == "__main__":
    rng = np.random.default_rng(5)
    B, D, H, C = 5, 4, 8, 3
    print(verify(rng.normal(size=(B, D)), rng.integers(C, size=B), rng.normal(size=(D, H)),
                 rng.normal(size=H), rng.normal(size=(H, C)), rng.normal(size=C)))
