import numpy as np
import torch
import torch.nn.functional as F

KEYS = ("W1", "b1", "W2", "b2", "X")


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    S = Z2 - Z2.max(1, keepdims=True)
    logp = S - np.log(np.exp(S).sum(1, keepdims=True))
    loss = -logp[np.arange(len(y)), y].mean()
    return loss, dict(X=X, y=y, W1=W1, W2=W2, Z1=Z1, H1=H1, P=np.exp(logp))


def backward(cache):
    n = len(cache["y"])
    dZ2 = cache["P"]
    dZ2[np.arange(n), cache["y"]] -= 1
    dZ2 /= n
    dZ1 = (dZ2 @ cache["W2"].T) * (cache["Z1"] > 0)
    return {
        "W1": cache["X"].T @ dZ1,
        "b1": dZ1.sum(0),
        "W2": cache["H1"].T @ dZ2,
        "b2": dZ2.sum(0),
        "X": dZ1 @ cache["W1"].T,
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = {k: torch.tensor(v, requires_grad=True) for k, v in zip(KEYS, (W1, b1, W2, b2, X))}
    h = (t["X"] @ t["W1"] + t["b1"]).relu()
    loss = F.cross_entropy(h @ t["W2"] + t["b2"], torch.as_tensor(y).long())
    loss.backward()
    return loss.item(), {k: v.grad for k, v in t.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    tloss, ref = torch_forward_backward(X, y, W1, b1, W2, b2)
    return bool(np.isclose(loss, tloss, rtol=1e-5)) and all(
        mine[k].shape == tuple(ref[k].shape)
        and np.allclose(mine[k], ref[k].numpy(), rtol=1e-4, atol=1e-6)
        for k in KEYS
    )


if __name__ == "__main__":
    r = np.random.RandomState(0)
    B, D, H, C = 64, 128, 256, 10
    print(verify(r.randn(B, D), r.randint(0, C, B), r.randn(D, H) * (2 / D) ** 0.5, np.zeros(H),
                 r.randn(H, C) * (2 / H) ** 0.5, np.zeros(C)))
