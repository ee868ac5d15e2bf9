"""Everything functional: a params tuple, jax-like grad on the torch side."""

import numpy as np
import torch
from torch.func import grad_and_value


def predict(params, X):
    W1, b1, W2, b2 = params
    hidden = np.maximum(X @ W1 + b1, 0)
    return hidden, hidden @ W2 + b2


def loss(params, X, y):
    _, logits = predict(params, X)
    top = logits.max(axis=1)
    return np.mean(np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top - logits[range(len(y)), y])


def gradients(params, X, y):
    W1, b1, W2, b2 = params
    hidden, logits = predict(params, X)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = e / e.sum(axis=1, keepdims=True)
    error[range(len(y)), y] -= 1
    error /= len(y)
    back = (error @ W2.T) * (X @ W1 + b1 > 0)
    return X.T @ back, back.sum(0), hidden.T @ error, error.sum(0)


def torch_loss(params, X, y):
    W1, b1, W2, b2 = params
    logits = torch.relu(X @ W1 + b1) @ W2 + b2
    return torch.nn.functional.cross_entropy(logits, y)


def torch_gradients(params, X, y):
    tensors = tuple(torch.as_tensor(p) for p in params)
    grads, value = grad_and_value(torch_loss)(tensors, torch.as_tensor(X), torch.as_tensor(y).long())
    return value, grads
