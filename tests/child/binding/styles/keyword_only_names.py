"""Keyword-only parameters, other names, the loss and a tuple of gradients in one function."""

import numpy as np
import torch


def loss_and_gradients(*, inputs, targets, weights1, bias1, weights2, bias2, l2=1e-4):
    """Return loss and the gradients in the order of the layers."""
    batch = len(inputs)
    pre = inputs @ weights1 + bias1
    hidden = pre * (pre > 0)
    scores = hidden @ weights2 + bias2
    scores = scores - scores.max(axis=-1, keepdims=True)
    total = np.exp(scores).sum(axis=-1, keepdims=True)
    rows = np.arange(batch)
    loss = (np.log(total)[:, 0] - scores[rows, targets]).mean()
    loss = loss + 0.5 * l2 * (np.sum(weights1**2) + np.sum(weights2**2))
    error = np.exp(scores) / total
    error[rows, targets] -= 1
    error = error / batch
    back = (error @ weights2.T) * (pre > 0)
    return (
        loss,
        inputs.T @ back + l2 * weights1,
        back.sum(axis=0),
        hidden.T @ error + l2 * weights2,
        error.sum(axis=0),
        back @ weights1.T,
    )


def autograd_gradients(*, inputs, targets, weights1, bias1, weights2, bias2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (inputs, weights1, bias1, weights2, bias2)]
    x, w1, b1, w2, b2 = leaves
    out = torch.relu(x @ w1 + b1) @ w2 + b2
    loss = torch.nn.functional.cross_entropy(out, torch.as_tensor(targets))
    d_inputs, d_weights1, d_bias1, d_weights2, d_bias2 = torch.autograd.grad(loss, leaves)
    return loss.item(), {
        "d_weights1": d_weights1, "d_bias1": d_bias1, "d_weights2": d_weights2,
        "d_bias2": d_bias2, "d_inputs": d_inputs,
    }


def compare_gradients(inputs, targets, weights1, bias1, weights2, bias2, tol=1e-9):
    given = dict(inputs=inputs, targets=targets, weights1=weights1, bias1=bias1,
                 weights2=weights2, bias2=bias2)
    loss, *mine = loss_and_gradients(**given, l2=0.0)
    other, theirs = autograd_gradients(**given)
    return all(np.allclose(a, b, rtol=tol, atol=tol) for a, b in zip(mine, theirs.values()))
