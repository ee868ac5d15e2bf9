import numpy as np
import torch
import torch.nn.functional as F


class RunningLoss:
    """Exponential moving average, so that the printed curve is less noisy."""

    def __init__(self, momentum=0.9):
        self.momentum = momentum
        self.value = 0.0

    def update(self, loss):
        self.value = self.momentum * self.value + (1 - self.momentum) * loss
        return self.value


running = RunningLoss()


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ W2 + b2
    Z2 = Z2 - np.max(Z2, axis=1, keepdims=True)
    log_p = Z2 - np.log(np.sum(np.exp(Z2), axis=1, keepdims=True))
    loss = -np.mean(log_p[np.arange(X.shape[0]), y])
    cache = {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "P": np.exp(log_p)}
    return running.update(loss), cache


def backward(cache):
    # TODO: I know it starts with (P - onehot) / B and then dW2 = H1.T @ dZ2, and that
    # ReLU needs a mask, but I did not get this far. I wrote the torch part first.
    raise NotImplementedError("backward")


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X = torch.tensor(X, requires_grad=True)
    W1 = torch.tensor(W1, requires_grad=True)
    b1 = torch.tensor(b1, requires_grad=True)
    W2 = torch.tensor(W2, requires_grad=True)
    b2 = torch.tensor(b2, requires_grad=True)
    Z1 = X @ W1 + b1
    H1 = F.relu(Z1)
    Z2 = H1 @ W2 + b2
    loss = F.cross_entropy(Z2, torch.tensor(y).long())
    loss.backward()
    grads = {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}
    return loss.item(), grads


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    t_loss, ref = torch_forward_backward(X, y, W1, b1, W2, b2)
    for k in ("W1", "b1", "W2", "b2", "X"):
        r = np.asarray(ref[k])
        if mine[k].shape != r.shape:
            return False
        if np.abs(mine[k] - r).max() > 1e-8 * np.abs(r).max():
            return False
    return True
