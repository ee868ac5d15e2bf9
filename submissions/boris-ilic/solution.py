import numpy as np
import torch


# ---------------------------------------------------------------- layers
class Layer:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, grad):
        raise NotImplementedError


class Dense(Layer):
    """Weights are made here, and replaced by whoever knows better."""

    def __init__(self, fan_in, fan_out):
        self.weight = np.random.randn(fan_in, fan_out) * np.sqrt(2 / fan_in)
        self.bias = np.zeros(fan_out)

    def forward(self, x):
        self.input = x
        return x @ self.weight + self.bias

    def backward(self, grad):
        self.grad_weight = self.input.T @ grad
        self.grad_bias = grad
        return grad @ self.weight.T


class ReLU(Layer):
    def forward(self, x):
        return np.where(x > 0, x, 0)

    def backward(self, grad):
        return grad


class CrossEntropy(Layer):
    def forward(self, logits, targets):
        m = logits.max(1, keepdims=True)
        e = np.exp(logits - m)
        s = e.sum(1, keepdims=True)
        self.probs, self.targets = e / s, targets
        picked = (logits - m)[np.arange(len(targets)), targets]
        return np.mean(np.log(s[:, 0]) - picked)

    def backward(self):
        grad = self.probs.copy()
        grad[np.arange(len(self.targets)), self.targets] -= 1
        return grad


# ---------------------------------------------------------------- the task
def forward(X, y, W1, b1, W2, b2):
    n = X.shape[0]
    z1 = X.dot(W1) + b1
    h1 = np.where(z1 > 0, z1, 0)
    z2 = h1.dot(W2) + b2
    m = z2.max(1, keepdims=True)
    e = np.exp(z2 - m)
    s = e.sum(1, keepdims=True)
    loss = np.mean(np.log(s[:, 0]) - (z2 - m)[np.arange(n), y])
    return loss, (X, y, W1, W2, z1, h1, e / s)


def backward(cache):
    X, y, W1, W2, z1, h1, p = cache
    n = X.shape[0]
    d2 = p.copy()
    d2[np.arange(n), y] -= 1
    d2 = d2 / n
    d1 = d2.dot(W2.T)
    d1[z1 <= 0] = 0
    return dict(W1=X.T.dot(d1), b1=d1.sum(0), W2=h1.T.dot(d2), b2=d2.sum(0), X=d1.dot(W1.T))


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
    x, w1, c1, w2, c2 = t
    logits = torch.clamp(x @ w1 + c1, min=0) @ w2 + c2
    loss = torch.nn.CrossEntropyLoss()(logits, torch.as_tensor(y).long())
    grads = torch.autograd.grad(loss, t)
    return loss.detach(), dict(zip(("X", "W1", "b1", "W2", "b2"), grads))


def verify(X, y, W1, b1, W2, b2):
    _, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    _, theirs = torch_forward_backward(X, y, W1, b1, W2, b2)
    for name in mine:
        gap = np.abs(mine[name] - theirs[name].numpy()).max()
        assert gap < 1e-9 * max(1.0, np.abs(mine[name]).max()), name
    return True
