import numpy as np
import torch


def forward(X, y, W1, b1, W2, b2):
    Z1 = X.dot(W1) + b1
    H1 = Z1.clip(min=0)
    Z2 = H1.dot(W2) + b2
    M = Z2.max(axis=1)
    lse = M + np.log(np.exp(Z2 - M[:, None]).sum(axis=1))
    loss = np.mean(lse - Z2[np.arange(len(Z2)), y])
    return loss, {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": np.exp(Z2 - lse[:, None])}


def backward(cache):
    X, y, W1, W2, Z1, H1, P = (cache[k] for k in ("X", "y", "W1", "W2", "Z1", "H1", "P"))
    B, C = P.shape
    Y = np.zeros_like(P)
    Y[np.arange(B), y] = 1
    G = (P - Y) / B
    out = {}
    out["W2"] = H1.T.dot(G)
    out["b2"] = G.sum(axis=0)
    G = G.dot(W2.T)
    G = np.where(Z1 > 0, G, 0.0)
    out["W1"] = X.T.dot(G)
    out["b1"] = G.sum(axis=0)
    out["X"] = G.dot(W1.T)
    return out


def torch_forward_backward(X, y, W1, b1, W2, b2):
    names = ["X", "W1", "b1", "W2", "b2"]
    xs = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
    x, w1, c1, w2, c2 = xs
    loss = torch.nn.functional.cross_entropy((x @ w1 + c1).relu() @ w2 + c2, torch.as_tensor(y).long())
    gs = torch.autograd.grad(loss, xs)
    return float(loss.detach()), dict(zip(names, [g.numpy() for g in gs]))


def verify(X, y, W1, b1, W2, b2):
    a = backward(forward(X, y, W1, b1, W2, b2)[1])
    b = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    tol = 1e-3 if X.dtype == np.float32 else 1e-9
    return all(
        a[k].shape == b[k].shape and np.linalg.norm(a[k] - b[k]) <= tol * (np.linalg.norm(b[k]) + 1e-12)
        for k in ("W1", "b1", "W2", "b2", "X")
    )


def gradient_check(X, y, W1, b1, W2, b2, h=1e-5):
    """Bump and revalue, central. Returns the largest relative error over all coordinates."""
    P = {k: np.array(v, dtype=np.float64) for k, v in dict(X=X, W1=W1, b1=b1, W2=W2, b2=b2).items()}
    _, cache = forward(P["X"], y, P["W1"], P["b1"], P["W2"], P["b2"])
    grads = backward(cache)
    worst = 0.0
    for k, p in P.items():
        theta = p.reshape(-1)
        fd = grads[k].reshape(-1)
        for i in range(theta.size):
            keep = theta[i]
            theta[i] = keep + h
            up = forward(P["X"], y, P["W1"], P["b1"], P["W2"], P["b2"])[0]
            theta[i] = keep - h
            dn = forward(P["X"], y, P["W1"], P["b1"], P["W2"], P["b2"])[0]
            theta[i] = keep
            fd[i] = (up - dn) / (2 * h)
        err = np.abs(fd - grads[k].ravel()) / np.maximum(1e-8, np.abs(fd) + np.abs(grads[k].ravel()))
        worst = max(worst, err.max())
    return worst


if __name__ == "__main__":
    rng = np.random.default_rng(7)
    args = (rng.normal(size=(5, 4)), rng.integers(0, 3, 5), rng.normal(size=(4, 6)), rng.normal(size=6),
            rng.normal(size=(6, 3)), rng.normal(size=3))
    print("autograd agrees:", verify(*args))
    print("bump error     :", gradient_check(*args))
