"""
Parts 1-3 as plain functions, then the layer interface from the follow-up.
"""
import numpy as np
import torch
from torch import nn


def softmax_xent(logits, y):
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y].mean(), np.exp(log_p)


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1                  # [B, H]
    H1 = np.maximum(Z1, 0)            # [B, H]
    Z2 = H1 @ W2 + b2                 # [B, C]
    loss, P = softmax_xent(Z2, y)
    return loss, (X, y, W1, Z1, H1, W2, P)


def backward(cache):
    X, y, W1, Z1, H1, W2, P = cache
    B = len(y)
    dZ2 = P.copy()
    dZ2[np.arange(B), y] -= 1
    dZ2 /= B
    dH1 = dZ2 @ W2.T
    dZ1 = dH1 * (Z1 > 0)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": H1.T @ dZ2, "b2": dZ2.sum(0), "X": dZ1 @ W1.T}


class MLP(nn.Module):
    def __init__(self, W1, b1, W2, b2):
        super().__init__()
        self.W1 = nn.Parameter(torch.tensor(W1))
        self.b1 = nn.Parameter(torch.tensor(b1))
        self.W2 = nn.Parameter(torch.tensor(W2))
        self.b2 = nn.Parameter(torch.tensor(b2))
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(x @ self.W1 + self.b1) @ self.W2 + self.b2


def torch_forward_backward(X, y, W1, b1, W2, b2):
    model = MLP(W1, b1, W2, b2)
    x = torch.tensor(X, requires_grad=True)
    loss = nn.CrossEntropyLoss()(model(x), torch.as_tensor(y, dtype=torch.long))
    model.zero_grad()
    loss.backward()
    grads = {name: p.grad for name, p in model.named_parameters()}
    grads["X"] = x.grad
    return loss.item(), grads


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    grads = backward(cache)
    t_loss, t_grads = torch_forward_backward(X, y, W1, b1, W2, b2)
    assert np.isclose(loss, t_loss, rtol=1e-4, atol=1e-6)
    for k in ["W1", "b1", "W2", "b2", "X"]:
        torch.testing.assert_close(torch.from_numpy(grads[k]), t_grads[k])
    return True


# ---------------------------------------------------------------------------
# Follow-up: reusable layers
# ---------------------------------------------------------------------------
class Layer:
    def forward(self, *inputs):
        raise NotImplementedError("each layer defines its own")

    def backward(self, upstream):
        raise NotImplementedError("each layer defines its own")

    def __call__(self, *inputs):
        return self.forward(*inputs)


class Linear(Layer):
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, upstream):
        self.dW = self.x.T @ upstream
        self.db = upstream.sum(axis=0)
        return upstream @ self.W.T


class ReLU(Layer):
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, upstream):
        return np.maximum(upstream, 0)


class SoftmaxCrossEntropy(Layer):
    def forward(self, logits, y):
        self.y = y
        loss, self.p = softmax_xent(logits, y)
        return loss

    def backward(self, upstream=1.0):
        d = self.p.copy()
        d[np.arange(len(self.y)), self.y] -= 1
        return upstream * d / len(self.y)


class Sequential(Layer):
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, upstream):
        for layer in reversed(self.layers):
            upstream = layer.backward(upstream)
        return upstream


if __name__ == "__main__":
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((10, 6)), rng.integers(0, 4, 10)
    W1, b1 = rng.standard_normal((6, 8)), rng.standard_normal(8)
    W2, b2 = rng.standard_normal((8, 4)), rng.standard_normal(4)
    print("verified:", verify(X, y, W1, b1, W2, b2))
    net, crit = Sequential(Linear(W1, b1), ReLU(), Linear(W2, b2)), SoftmaxCrossEntropy()
    print("layer loss:", crit(net(X), y))
    print("dX shape:", net.backward(crit.backward()).shape)
