"""Two-layer network by hand and with autograd, and the layers of question 1."""

import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1  # [B, H]
    H1 = np.maximum(Z1, 0)  # [B, H]
    Z2 = H1 @ W2 + b2  # [B, C]
    shifted = Z2 - Z2.max(axis=1, keepdims=True)
    logP = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -logP[np.arange(len(y)), y].mean()  # scalar
    return loss, {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "logP": logP}


def backward(cache):
    X, y, Z1, H1 = cache["X"], cache["y"], cache["Z1"], cache["H1"]
    dZ2 = np.exp(cache["logP"])  # [B, C]
    dZ2[np.arange(len(y)), y] -= 1
    dZ2 /= len(y)  # 1/B enters here and nowhere else
    dZ1 = (dZ2 @ cache["W2"].T) * (Z1 > 0)  # [B, H]
    return {
        "W1": X.T @ dZ1,  # [D, H]
        "b1": dZ1.sum(axis=0),  # [H]
        "W2": H1.T @ dZ2,  # [H, C]
        "b2": dZ2.sum(axis=0),  # [C]
        "X": dZ1 @ cache["W1"].T,  # [B, D]
    }


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = {
        name: torch.tensor(value, requires_grad=True)
        for name, value in zip(("X", "W1", "b1", "W2", "b2"), (X, W1, b1, W2, b2))
    }
    hidden = torch.relu(leaves["X"] @ leaves["W1"] + leaves["b1"])
    loss = F.cross_entropy(hidden @ leaves["W2"] + leaves["b2"], torch.tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), {name: leaf.grad.numpy() for name, leaf in leaves.items()}


def verify(X, y, W1, b1, W2, b2):
    by_hand = backward(forward(X, y, W1, b1, W2, b2)[1])
    by_torch = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    return all(np.allclose(by_hand[k], by_torch[k], rtol=1e-8, atol=1e-12) for k in by_hand)


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.dW, self.db = np.zeros_like(W), np.zeros_like(b)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW += self.x.T @ dout  # never set back to zero
        self.db += dout.sum(axis=0)
        return dout @ self.W.T


class Relu:
    def forward(self, x):
        self.out = np.maximum(x, 0)
        return self.out

    def backward(self, dout):
        return dout * (self.out > 0)


class SoftmaxLoss:
    def forward(self, logits, y):
        shifted = logits - logits.max(axis=1, keepdims=True)
        logP = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.P, self.y = np.exp(logP), y
        return -logP[np.arange(len(y)), y].mean()

    def backward(self):
        d = self.P.copy()
        d[np.arange(len(self.y)), self.y] -= 1
        return d / len(self.y)
