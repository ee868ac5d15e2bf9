"""verify is handed both sides' gradients; extra return values; dropout and training switches."""

import numpy as np
import torch


def forward_pass(x, y, w1, b1, w2, b2, training=True, keep_prob=0.8, weight_decay=1e-3):
    z1 = x @ w1 + b1
    a1 = np.maximum(z1, 0)
    if training and keep_prob < 1:
        mask = np.random.rand(*a1.shape) < keep_prob
        a1 = a1 * mask / keep_prob
    z2 = a1 @ w2 + b2
    z2 = z2 - z2.max(axis=1, keepdims=True)
    logp = z2 - np.log(np.exp(z2).sum(axis=1, keepdims=True))
    loss = -logp[np.arange(y.shape[0]), y].mean() + weight_decay * (np.sum(w1**2) + np.sum(w2**2))
    accuracy = (logp.argmax(axis=1) == y).mean()
    return loss, accuracy, (x, y, w1, w2, z1, a1, np.exp(logp))


def backward_pass(cache):
    x, y, w1, w2, z1, a1, p = cache
    n = y.shape[0]
    dz2 = p.copy()
    dz2[np.arange(n), y] -= 1
    dz2 /= n
    dz1 = (dz2 @ w2.T) * (z1 > 0)
    return {
        "layer1": {"dW": x.T @ dz1, "db": dz1.sum(axis=0)},
        "layer2": {"dW": a1.T @ dz2, "db": dz2.sum(axis=0)},
        "input": dz1 @ w1.T,
    }


def pytorch_pass(x, y, w1, b1, w2, b2):
    x, w1, b1, w2, b2 = (torch.tensor(a, requires_grad=True) for a in (x, w1, b1, w2, b2))
    scores = torch.clamp(x @ w1 + b1, min=0) @ w2 + b2
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(y, dtype=torch.int64))
    loss.backward()
    return loss.item(), w1.grad, b1.grad, w2.grad, b2.grad, x.grad


def verify(numpy_grads, torch_grads, tol=1e-9):
    ours = [numpy_grads[k] for k in ("W1", "b1", "W2", "b2", "X")]
    theirs = [np.asarray(torch_grads[k]) for k in ("W1", "b1", "W2", "b2", "X")]
    return all(np.allclose(a, b, rtol=tol, atol=tol) for a, b in zip(ours, theirs))
