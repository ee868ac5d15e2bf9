"""affine_forward, affine_backward, relu_forward, …: a cache for each layer."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def affine_forward(x, w, b):
    out = x.dot(w) + b
    return out, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dx = dout.dot(w.T)
    dw = x.T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def softmax_forward(scores, y):
    num_train = scores.shape[0]
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    z = np.sum(np.exp(shifted), axis=1, keepdims=True)
    log_probs = shifted - np.log(z)
    loss = -np.sum(log_probs[np.arange(num_train), y]) / num_train
    return loss, (np.exp(log_probs), y)


def softmax_backward(cache):
    probs, y = cache
    num_train = probs.shape[0]
    dscores = probs.copy()
    dscores[np.arange(num_train), y] -= 1
    dscores /= num_train
    return dscores


def forward(X, y, W1, b1, W2, b2):
    a1, cache1 = affine_forward(X, W1, b1)
    h1, cache_relu = relu_forward(a1)
    scores, cache2 = affine_forward(h1, W2, b2)
    loss, cache_loss = softmax_forward(scores, y)
    return loss, (cache1, cache_relu, cache2, cache_loss)


def backward(cache):
    cache1, cache_relu, cache2, cache_loss = cache
    dscores = softmax_backward(cache_loss)
    dh1, dw2, db2 = affine_backward(dscores, cache2)
    da1 = relu_backward(dh1, cache_relu)
    dx, dw1, db1 = affine_backward(da1, cache1)
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2, "X": dx}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    x = torch.tensor(X, requires_grad=True)
    fc1 = nn.Linear(*W1.shape, dtype=x.dtype)
    fc2 = nn.Linear(*W2.shape, dtype=x.dtype)
    with torch.no_grad():
        fc1.weight.copy_(torch.tensor(W1).T)
        fc1.bias.copy_(torch.tensor(b1))
        fc2.weight.copy_(torch.tensor(W2).T)
        fc2.bias.copy_(torch.tensor(b2))
    hidden = F.relu(fc1(x))
    scores = fc2(hidden)
    loss = F.cross_entropy(scores, torch.tensor(y, dtype=torch.int64))
    loss.backward()
    return loss.item(), {
        "W1": fc1.weight.grad.T,
        "b1": fc1.bias.grad,
        "W2": fc2.weight.grad.T,
        "b2": fc2.bias.grad,
        "X": x.grad,
    }


def rel_error(a, b):
    return np.max(np.abs(a - b)) / np.max(np.abs(b))


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    grads = backward(cache)
    torch_loss, expected = torch_forward_backward(X, y, W1, b1, W2, b2)
    tol = 1e-9 if X.dtype == np.float64 else 1e-4
    assert abs(loss - torch_loss) <= tol * max(1.0, abs(torch_loss)), "loss"
    for name in ["W1", "b1", "W2", "b2", "X"]:
        want = expected[name].numpy()
        assert grads[name].shape == want.shape, name
        assert rel_error(grads[name], want) <= tol, name
    return True
