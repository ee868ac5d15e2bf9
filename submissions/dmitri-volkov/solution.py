# einsum everywhere: the index letters ARE the shape comments.
#   b = batch   d = input   h = hidden   c = class
# optimize=True lets numpy hand the contraction to BLAS (without it einsum loops in C)
import numpy as np
import torch
import torch.nn.functional as F
from functools import partial

es = partial(np.einsum, optimize=True)


def forward(X, y, W1, b1, W2, b2):
    z1 = es("bd,dh->bh", X, W1) + b1
    h1 = z1 * (z1 > 0)
    z2 = es("bh,hc->bc", h1, W2) + b2
    z2 = z2 - z2.max(1, keepdims=True)
    lse = np.log(np.exp(z2).sum(1, keepdims=True))
    picked = z2[np.arange(len(y)), y]
    loss = (lse[:, 0] - picked).mean()
    p = np.exp(z2 - lse)
    return loss, {"x": X, "y": y, "w1": W1, "w2": W2, "z1": z1, "h1": h1, "p": p}


def backward(cache):
    x, w1, w2, z1, h1 = (cache[k] for k in ("x", "w1", "w2", "z1", "h1"))
    n = x.shape[0]
    g2 = cache["p"] / n
    g2[np.arange(n), cache["y"]] -= 1 / n       # g2 is new memory, the cache is untouched
    g1 = es("bc,hc->bh", g2, w2) * (z1 > 0)
    return {
        "W2": es("bh,bc->hc", h1, g2),
        "b2": es("bc->c", g2),
        "W1": es("bd,bh->dh", x, g1),
        "b1": es("bh->h", g1),
        "X": es("bh,dh->bd", g1, w1),
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    x, w1, c1, w2, c2 = [torch.tensor(t, requires_grad=True) for t in (X, W1, b1, W2, b2)]
    # F.linear wants (out, in), hence .T; the gradient flows back through the view
    out = F.linear(F.relu(F.linear(x, w1.T, c1)), w2.T, c2)
    loss = F.cross_entropy(out, torch.tensor(y).to(torch.int64), reduction="mean")
    loss.backward()
    grads = {"W1": w1.grad, "b1": c1.grad, "W2": w2.grad, "b2": c2.grad, "X": x.grad}
    return loss.detach(), grads


def verify(X, y, W1, b1, W2, b2):
    l0, cache = forward(X, y, W1, b1, W2, b2)
    g0 = backward(cache)
    l1, g1 = torch_forward_backward(X, y, W1, b1, W2, b2)
    tol = 2e-5 if X.dtype == np.float32 else 1e-11
    report = {"loss": abs(float(l0) - float(l1)) / max(1, abs(float(l1)))}
    for k, a in g0.items():
        b = np.asarray(g1[k])
        if a.shape != b.shape:
            raise AssertionError(f"{k}: {a.shape} != {b.shape}")
        report[k] = np.linalg.norm(a - b) / max(np.linalg.norm(a), np.linalg.norm(b), 1e-300)
    assert len(report) == 6 and max(report.values()) < tol, report
    return True
