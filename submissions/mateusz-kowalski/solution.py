import numpy as np
import torch


class MLP:
    """D -> H -> C with ReLU. Keeps nothing but the weights between calls."""

    def __init__(self, W1, b1, W2, b2):
        self.W1, self.b1, self.W2, self.b2 = W1, b1, W2, b2

    def loss(self, X, y):
        z1 = X @ self.W1 + self.b1
        h1 = self.relu(z1)
        z2 = h1 @ self.W2 + self.b2
        logp = self.log_softmax(z2)
        nll = -logp[np.arange(len(X)), y][:, None]       # column vector, one loss per row
        cache = {"X": X, "y": y, "W1": self.W1, "W2": self.W2, "z1": z1, "h1": h1,
                 "p": np.exp(logp)}
        return nll.mean(axis=0), cache

    @staticmethod
    def relu(z):
        return np.where(z > 0, z, np.zeros_like(z))

    @staticmethod
    def relu_backward(upstream):
        # only positive signals get through a relu
        return upstream * (upstream > 0)

    @staticmethod
    def log_softmax(z):
        z = z - z.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    @classmethod
    def grads(cls, cache):
        B = len(cache["X"])
        dz2 = cache["p"].copy()
        dz2[np.arange(B), cache["y"]] -= 1
        dz2 /= B
        dh1 = dz2 @ cache["W2"].T
        dz1 = cls.relu_backward(dh1)
        return {
            "W1": cache["X"].T @ dz1,
            "b1": dz1.sum(axis=0),
            "W2": cache["h1"].T @ dz2,
            "b2": dz2.sum(axis=0),
            "X": dz1 @ cache["W1"].T,
        }


def forward(X, y, W1, b1, W2, b2):
    return MLP(W1, b1, W2, b2).loss(X, y)


def backward(cache):
    return MLP.grads(cache)


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2))
    logits = torch.relu(X @ W1 + b1) @ W2 + b2
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    tloss, ref = torch_forward_backward(X, y, W1, b1, W2, b2)
    assert abs(float(np.squeeze(loss)) - float(tloss)) < 1e-6
    for k in ("W1", "b1", "W2", "b2", "X"):
        r = np.asarray(ref[k])
        assert mine[k].shape == r.shape, k
        assert np.abs(mine[k] - r).max() < 1e-6 * np.abs(r).max(), k
    return True
