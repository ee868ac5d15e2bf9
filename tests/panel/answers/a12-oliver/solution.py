"""cs231n-ish layout: affine / relu / softmax_loss, each *_forward with a cache."""
import numpy as np
import torch
import torch.nn.functional as F


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, x):
    return dout * (x > 0)


def softmax_loss(scores, y):
    N = scores.shape[0]
    shifted = scores - scores.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -logp[np.arange(N), y].sum() / N
    dscores = np.exp(logp)
    dscores[np.arange(N), y] -= 1
    return loss, dscores


def forward(X, y, W1, b1, W2, b2):
    z1, fc1 = affine_forward(X, W1, b1)
    h1, act = relu_forward(z1)
    scores, fc2 = affine_forward(h1, W2, b2)
    loss, dscores = softmax_loss(scores, y)
    return loss, (fc1, act, fc2, dscores)


def backward(cache):
    fc1, act, fc2, dscores = cache
    g = {}
    dh1, g["W2"], g["b2"] = affine_backward(dscores, fc2)
    g["X"], g["W1"], g["b1"] = affine_backward(relu_backward(dh1, act), fc1)
    return g


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2))
    scores = torch.relu(X @ W1 + b1) @ W2 + b2
    loss = F.cross_entropy(scores, torch.tensor(y, dtype=torch.long), reduction="sum")
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    ours = backward(forward(X, y, W1, b1, W2, b2)[1])
    ref = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(
        ours[k].shape == tuple(ref[k].shape) and np.allclose(ours[k], ref[k].numpy(), rtol=1e-4, atol=1e-5)
        for k in ("W1", "b1", "W2", "b2", "X")
    )


if __name__ == "__main__":
    rng = np.random.default_rng(231)
    N, D, H, C = 30, 16, 24, 7
    print("gradients agree with autograd:", verify(
        rng.standard_normal((N, D)), rng.integers(C, size=N),
        rng.standard_normal((D, H)) * 0.2, np.zeros(H),
        rng.standard_normal((H, C)) * 0.2, np.zeros(C)))
