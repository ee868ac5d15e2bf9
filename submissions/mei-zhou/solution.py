"""The parameters travel as one dictionary; gradients come back under the same keys."""
import numpy as np
import torch

KEYS = ("W1", "b1", "W2", "b2", "X")


def forward(X, y, W1, b1, W2, b2):
    pre = X @ W1 + b1
    act = np.maximum(0, pre)
    logits = act @ W2 + b2
    top = logits.max(1, keepdims=True)
    logZ = top + np.log(np.exp(logits - top).sum(1, keepdims=True))
    logp = logits - logZ
    loss = -logp[range(len(y)), y].mean()
    return loss, (X, y, pre, act, logp, W1, W2)


def backward(cache):
    X, y, pre, act, logp, W1, W2 = cache
    delta2 = np.exp(logp)
    delta2[range(len(y)), y] -= 1
    delta2 /= len(y)
    delta1 = (delta2 @ W2.T) * (pre > 0)
    grads = (X.T @ delta1, delta1.sum(0), act.T @ delta2, delta2.sum(0), delta1 @ W1.T)
    return dict(zip(KEYS, grads))


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = {k: torch.from_numpy(v.copy()).requires_grad_() for k, v in
         dict(W1=W1, b1=b1, W2=W2, b2=b2, X=X).items()}
    hidden = (t["X"] @ t["W1"] + t["b1"]).clamp(min=0)
    scores = hidden @ t["W2"] + t["b2"]
    loss = torch.nn.CrossEntropyLoss()(scores, torch.from_numpy(y.astype(np.int64)))
    loss.backward()
    return loss.detach().numpy(), {k: t[k].grad.numpy() for k in KEYS}


def verify(X, y, W1, b1, W2, b2):
    a = backward(forward(X, y, W1, b1, W2, b2)[1])
    b = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    errors = {k: np.abs(a[k] - b[k]).max() / np.abs(b[k]).max() for k in KEYS}
    assert max(errors.values()) < 1e-8, errors
    return True


def grad_check(params, X, y, eps=1e-12, tol=1e-2):
    """True when the numerical slope of every parameter, and of X, is that of backward."""
    everything = {**params, "X": X}
    analytic = backward(forward(y=y, **everything)[1])
    for key, values in everything.items():
        flat = values.reshape(-1)
        for i in range(flat.size):
            keep = flat[i]
            flat[i] = keep + eps
            hi = forward(y=y, **everything)[0]
            flat[i] = keep - eps
            lo = forward(y=y, **everything)[0]
            flat[i] = keep
            slope = (hi - lo) / (2 * eps)
            if abs(slope - analytic[key].reshape(-1)[i]) > tol:
                return False
    return True
