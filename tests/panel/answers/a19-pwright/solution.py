import numpy as np
import torch


def forward(X, y, W1, b1, W2, b2):
    pre = X @ W1 + b1
    hid = np.maximum(pre, 0)
    logits = hid @ W2 + b2
    logits = logits - logits.max(axis=1, keepdims=True)
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(X)), y].mean(), (X, y, W1, W2, pre, hid, logp)


def backward(cache):
    X, y, W1, W2, pre, hid, logp = cache
    B = len(X)
    dlogits = np.exp(logp)
    dlogits[np.arange(B), y] -= 1
    dlogits /= B                       # mean loss
    dpre = (dlogit @ W2.T) * (pre > 0)
    return {"W1": X.T @ dpre, "b1": dpre.sum(0),
            "W2": hid.T @ dlogits, "b2": dlogits.sum(0),
            "X": dpre @ W1.T}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = leaves = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
    logits = (X @ W1 + b1).relu() @ W2 + b2
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), {n: t.grad.numpy() for n, t in zip(["X", "W1", "b1", "W2", "b2"], leaves)}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    g = backward(cache)
    tloss, tg = torch_forward_backward(X, y, W1, b1, W2, b2)
    assert np.allclose(loss, tloss, rtol=1e-5)
    for n in tg:
        assert g[n].shape == tg[n].shape, n
        assert np.allclose(g[n], tg[n], rtol=1e-4, atol=1e-6), n
    return True


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    B, D, H, C = 64, 128, 256, 10
    X, y = rng.normal(size=(B, D)), rng.integers(0, C, B)
    W1, b1 = rng.normal(size=(D, H)) * 0.05, np.zeros(H)
    W2, b2 = rng.normal(size=(H, C)) * 0.05, np.zeros(C)
    print("ok" if verify(X, y, W1, b1, W2, b2) else "not ok")
