import numpy as np
import torch


class Net:
    """Holds one forward pass."""

    def __init__(self, X, y, W1, b1, W2, b2):
        self.X, self.y, self.W1, self.b1, self.W2, self.b2 = X, y, W1, b1, W2, b2

    def run(self):
        self.Z1 = self.X @ self.W1 + self.b1
        self.H1 = np.maximum(0, self.Z1)
        self.Z2 = self.H1 @ self.W2 + self.b2
        shifted = self.Z2 - self.Z2.max(axis=1, keepdims=True)
        exps = np.exp(shifted)
        self.P = exps / exps.sum(axis=1)
        rows = np.arange(self.X.shape[0])
        return -np.log(self.P[rows, self.y]).mean()

    def gradients(self):
        rows = np.arange(self.X.shape[0])
        dZ2 = self.P.copy()
        dZ2[rows, self.y] -= 1
        dZ2 /= self.X.shape[0]
        dZ1 = (dZ2 @ self.W2.T) * (self.Z1 > 0)
        return {
            "W1": self.X.T @ dZ1, "b1": dZ1.sum(0),
            "W2": self.H1.T @ dZ2, "b2": dZ2.sum(0),
            "X": dZ1 @ self.W1.T,
        }


def forward(X, y, W1, b1, W2, b2):
    net = Net(X, y, W1, b1, W2, b2)
    return net.run(), net


def backward(cache):
    return cache.gradients()


def torch_forward_backward(X, y, W1, b1, W2, b2):
    t = [torch.tensor(v, requires_grad=True) for v in (X, W1, b1, W2, b2)]
    Z2 = torch.clamp(t[0] @ t[1] + t[2], min=0) @ t[3] + t[4]
    loss = torch.nn.CrossEntropyLoss()(Z2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {n: v.grad for n, v in zip(["X", "W1", "b1", "W2", "b2"], t)}


def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    ref = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.abs(mine[n] - ref[n].numpy()).max() < 1e-9 for n in mine)
