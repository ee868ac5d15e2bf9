"""Each forward step returns its value and the function that pulls a gradient back through it."""

import functools

import numpy as np
import torch
from torch.func import functional_call


def linear(W, b):
    def apply(x):
        return x.dot(W) + b, lambda d: (d.dot(W.T), {"W": x.T.dot(d), "b": np.add.reduce(d, axis=0)})

    return apply


def rectify(x):
    keep = np.greater(x, 0)
    return np.multiply(x, keep), lambda d: (np.multiply(d, keep), {})


def nll(y, x):
    x = x - np.amax(x, axis=1)[:, None]
    z = np.exp(x).sum(1)
    picked = x[np.arange(y.shape[0]), y]

    def pull():
        d = np.exp(x) / z[:, None]
        np.subtract.at(d, (np.arange(y.shape[0]), y), 1)
        return np.divide(d, y.shape[0])

    return np.average(np.log(z) - picked), pull


def forward(X, y, W1, b1, W2, b2):
    pulls, value = [], X
    for step in (linear(W1, b1), rectify, linear(W2, b2)):
        value, pull = step(value)
        pulls.append(pull)
    loss, start = nll(y, value)
    return loss, (start, pulls)


def backward(cache):
    start, pulls = cache

    def through(state, item):
        d, grads = state
        index, pull = item
        d, local = pull(d)
        return d, {**grads, **{f"{k}{index}": v for k, v in local.items()}}

    numbered = list(zip((2, 0, 1), reversed(pulls)))
    dX, grads = functools.reduce(through, numbered, (start(), {}))
    return {**grads, "X": dX}


class Mlp(torch.nn.Module):
    def __init__(self, d, h, c):
        super().__init__()
        self.one, self.two = torch.nn.Linear(d, h), torch.nn.Linear(h, c)

    def forward(self, x):
        return self.two(self.one(x).clamp_min(0))


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = {k: torch.tensor(v, requires_grad=True) for k, v in dict(W1=W1, b1=b1, W2=W2, b2=b2, X=X).items()}
    net = Mlp(*W1.shape, W2.shape[1])
    params = {"one.weight": t["W1"].T, "one.bias": t["b1"], "two.weight": t["W2"].T, "two.bias": t["b2"]}
    logits = functional_call(net, params, (t["X"],))
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(y.astype(np.int64)))
    torch.autograd.backward([loss])
    return loss.item(), {k: v.grad.numpy() for k, v in t.items()}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    g = backward(cache)
    t_loss, t = torch_forward_backward(X, y, W1, b1, W2, b2)
    if not np.isclose(loss, t_loss):
        raise AssertionError("losses differ")
    for k in t:
        diff = np.abs(g[k] - t[k]).max()
        if diff > 1e-6 * max(1e-3, np.abs(t[k]).max()):
            raise AssertionError(f"{k}: {diff}")
    return True
