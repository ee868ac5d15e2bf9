"""
Two-layer MLP, manual and autograd.

    X [B,D] -> Z1 [B,H] -> H1 [B,H] -> Z2 [B,C] -> loss (scalar)

The layers at the bottom were generalised from part 2.
"""
import numpy as np
import torch as th


def _softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _nll(z, y):
    z = z - z.max(axis=-1, keepdims=True)
    return np.log(np.exp(z).sum(axis=-1)) - z[np.arange(len(y)), y]


def forward(X, y, W1, b1, W2, b2):
    a = X @ W1 + b1
    h = np.maximum(a, 0)
    o = h @ W2 + b2
    return _nll(o, y).mean(), dict(X=X, y=y, W1=W1, W2=W2, a=a, h=h, p=_softmax(o))


def backward(cache):
    p, y, h, a = (cache[k] for k in ("p", "y", "h", "a"))
    do = p.copy()
    do[np.arange(len(y)), y] -= 1
    do /= len(y)
    da = do @ cache["W2"].T
    da[a <= 0] = 0
    return {
        "W1": cache["X"].T @ da,
        "b1": da.sum(axis=0),
        "W2": h.T @ do,
        "b2": do.sum(axis=0),
        "X": da @ cache["W1"].T,
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = {k: th.tensor(v, requires_grad=True) for k, v in locals().items() if k != "y"}
    o = th.clamp_min(leaves["X"] @ leaves["W1"] + leaves["b1"], 0) @ leaves["W2"] + leaves["b2"]
    loss = th.nn.functional.cross_entropy(o, th.as_tensor(np.array(y)).long())
    grads = th.autograd.grad(loss, list(leaves.values()))
    return float(loss), dict(zip(leaves, grads))


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    tloss, theirs = torch_forward_backward(X, y, W1, b1, W2, b2)
    worst = abs(loss - tloss) / abs(tloss)
    for k, g in theirs.items():
        worst = max(worst, np.abs(mine[k] - g.numpy()).max() / np.abs(g.numpy()).max())
    return worst < 1e-9


class Dense:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def forward(self, x):
        self._x = x
        return x @ self.weight + self.bias

    def backward(self, g):
        self.weight_grad = self._x.T @ g
        self.bias_grad = np.sum(g)
        return g @ self.weight.T


class ReLU:
    def forward(self, x):
        self._y = np.maximum(x, 0)
        return self._y.copy()

    def backward(self, g):
        return self._y * g


class CrossEntropy:
    """In bits, as in information theory."""

    def forward(self, logits, target):
        self._p, self._t = _softmax(logits), target
        return _nll(logits, target).mean() / np.log(2)

    def backward(self):
        g = self._p.copy()
        g[np.arange(len(self._t)), self._t] -= 1
        return g / g.shape[1]
