import numpy as np
import torch
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1                                            # [B, H]
    H1 = np.maximum(Z1, 0)                                      # [B, H]
    Z2 = H1 @ W2 + b2                                           # [B, C]
    Z2max = Z2.max(axis=1, keepdims=True)                       # [B, 1]
    expsum = np.exp(Z2 - Z2max).sum(axis=1, keepdims=True)      # [B, 1]
    logP = Z2 - Z2max - np.log(expsum)                          # [B, C]
    loss = -logP[np.arange(len(y)), y].mean()                   # scalar
    return loss, {"X": X, "y": y, "W1": W1, "W2": W2, "Z1": Z1, "H1": H1, "logP": logP}


def backward(cache):
    B = len(cache["y"])
    dZ2 = np.exp(cache["logP"])                                 # [B, C]
    dZ2[np.arange(B), cache["y"]] -= 1
    dZ2 /= B
    dZ1 = dZ2 @ cache["W2"].T                                   # [B, H]
    dZ1[~(cache["Z1"] > 0)] = 0
    return {"W1": cache["X"].T @ dZ1, "b1": dZ1.sum(0),         # [D, H], [H]
            "W2": cache["H1"].T @ dZ2, "b2": dZ2.sum(0),        # [H, C], [C]
            "X": dZ1 @ cache["W1"].T}                           # [B, D]


def torch_forward_backward(X, y, W1, b1, W2, b2):
    tensors = [torch.tensor(t, requires_grad=True) for t in (W1, b1, W2, b2, X)]
    a, b, c, d, x = tensors
    loss = F.cross_entropy(F.relu(x @ a + b) @ c + d, torch.as_tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), {n: t.grad.numpy() for n, t in zip(("W1", "b1", "W2", "b2", "X"), tensors)}


def verify(X, y, W1, b1, W2, b2):
    g = backward(forward(X, y, W1, b1, W2, b2)[1])
    t = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    assert np.allclose(g["W1"], t["W1"], rtol=1e-8, atol=1e-12)
    assert np.allclose(g["b1"], t["b1"], rtol=1e-8, atol=1e-12)
    assert np.allclose(g["W2"], t["W2"], rtol=1e-8, atol=1e-12)
    assert np.allclose(g["b2"], t["b2"], rtol=1e-8, atol=1e-12)
    assert np.allclose(g["X"], t["X"], rtol=1e-8, atol=1e-12)
    return True


# Layers: forward(...) stores what is needed, backward(upstream) uses it.
class Linear:
    def __init__(self, W, b):
        self.W = W
        self.b = b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, upstream):
        self.dW, self.db = self.x.T @ upstream, upstream.sum(0)
        return upstream @ self.W.T


class ReLU:
    def forward(self, x):
        self.mask = np.array(x > 0, dtype=x.dtype)
        return x * self.mask

    def backward(self, upstream):
        self.mask *= upstream  # saves an allocation
        return self.mask


class SoftmaxCrossEntropy:
    def forward(self, logits, y):
        self.y = y
        expd = np.exp(logits)
        self.P = expd / expd.sum(axis=1, keepdims=True)
        return -np.log(self.P[np.arange(len(y)), y]).mean()

    def backward(self):
        out = self.P.copy()
        out[np.arange(len(self.y)), self.y] -= 1
        return out / len(self.y)
