import numpy as np
import torch
import torch.nn.functional as F

KEYS = ["W1", "b1", "W2", "b2", "X"]


def relu(z, slope=0.01):
    return np.where(z > 0, z, slope * z)


def relu_grad(z, slope=0.01):
    return np.where(z > 0, 1.0, slope).astype(z.dtype)


def fc(x, w, b):
    return x @ w + b


def fc_backward(d, x, w, need_input_grad=True):
    dw = x.T @ d
    db = d.sum(axis=0)
    dx = d @ w.T if need_input_grad else None
    return dw, db, dx


def forward(X, y, W1, b1, W2, b2):
    z1 = fc(X, W1, b1)
    h1 = relu(z1)
    z2 = fc(h1, W2, b2)
    z2 = z2 - z2.max(axis=1, keepdims=True)
    lse = np.log(np.exp(z2).sum(axis=1))
    idx = np.arange(X.shape[0])
    loss = (lse - z2[idx, y]).mean()
    return loss, dict(X=X, y=y, W1=W1, W2=W2, z1=z1, h1=h1, p=np.exp(z2 - lse[:, None]))


def backward(c):
    n = c["X"].shape[0]
    d2 = c["p"].copy()
    d2[np.arange(n), c["y"]] -= 1
    d2 /= n
    dW2, db2, dh1 = fc_backward(d2, c["h1"], c["W2"])
    d1 = dh1 * relu_grad(c["z1"])
    # first layer, nothing below it
    dW1, db1, dX = fc_backward(d1, c["X"], c["W1"], need_input_grad=False)
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    v = {k: torch.as_tensor(np.array(a)).requires_grad_() for k, a in zip(KEYS, (W1, b1, W2, b2, X))}
    out = F.relu(v["X"] @ v["W1"] + v["b1"]) @ v["W2"] + v["b2"]
    loss = F.cross_entropy(out, torch.as_tensor(y).long())
    grads = torch.autograd.grad(loss, [v[k] for k in KEYS])
    return loss.item(), dict(zip(KEYS, grads))


def verify(X, y, W1, b1, W2, b2):
    _, c = forward(X, y, W1, b1, W2, b2)
    g = backward(c)
    _, tg = torch_forward_backward(X, y, W1, b1, W2, b2)
    ok = True
    for k in KEYS:
        ours = np.asarray(g[k], dtype=np.float64)
        theirs = np.asarray(tg[k], dtype=np.float64)
        same = np.allclose(ours, theirs, rtol=1e-4, atol=1e-6)
        print(k, same)
        ok = ok and same
    return ok


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    print(verify(rng.normal(size=(8, 6)), rng.integers(0, 3, 8), rng.normal(size=(6, 10)), rng.normal(size=10),
                 rng.normal(size=(10, 3)), rng.normal(size=3)))
