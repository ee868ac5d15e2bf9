import numpy as np, torch

relu = lambda z: z * (z > 0)
dense = lambda p, i, a: a @ p[f"W{i}"] + p[f"b{i}"]
dense_grad = lambda a, d: (a.T @ d, d.sum(0, keepdims=True))


def lsm(z):
    z = z - z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def fwd(p, X, y):
    z1 = dense(p, 1, X)
    h1 = relu(z1)
    lp = lsm(dense(p, 2, h1))
    return -lp[np.arange(len(y)), y].mean(), (X, y, z1, h1, lp)


def bwd(p, cache):
    X, y, z1, h1, lp = cache
    d2 = (np.exp(lp) - (y[:, None] == np.arange(lp.shape[1]))) / len(y)
    d1 = (d2 @ p["W2"].T) * (z1 > 0)
    g = {"X": d1 @ p["W1"].T}
    g["W2"], g["b2"] = dense_grad(h1, d2)
    g["W1"], g["b1"] = dense_grad(X, d1)
    return g


def auto(p, X, y):
    t = {k: torch.tensor(v, requires_grad=True) for k, v in {**p, "X": X}.items()}
    loss = torch.nn.functional.cross_entropy(dense(t, 2, torch.relu(dense(t, 1, t["X"]))), torch.tensor(y).long())
    loss.backward()
    return loss.item(), {k: v.grad.numpy() for k, v in t.items()}


def check(p, X, y):
    l, c = fwd(p, X, y)
    g = bwd(p, c)
    tl, tg = auto(p, X, y)
    return np.isclose(l, tl, rtol=1e-5) and all(np.allclose(g[k], tg[k], rtol=1e-4, atol=1e-6) for k in tg)


if __name__ == "__main__":
    r = np.random.default_rng(0)
    B, D, H, C = 9, 5, 7, 4
    p = {"W1": r.normal(size=(D, H)), "b1": r.normal(size=H), "W2": r.normal(size=(H, C)), "b2": r.normal(size=C)}
    print(check(p, r.normal(size=(B, D)), r.integers(C, size=B)))
