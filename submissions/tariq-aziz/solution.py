import numpy as np
import torch
import torch.nn.functional as F


class TwoLayerNet:
    def __init__(self, W1, b1, W2, b2):
        self.params = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}

    def loss(self, X, y):
        p = self.params
        self.X, self.y = X, y
        self.z1 = X.dot(p["W1"]) + p["b1"]
        self.h1 = np.maximum(self.z1, 0)
        scores = self.h1.dot(p["W2"]) + p["b2"]
        scores = scores - scores.max(axis=1, keepdims=True)
        self.logp = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return -self.logp[np.arange(len(y)), y].mean()

    def grads(self):
        p, N = self.params, self.X.shape[0]
        dscores = np.exp(self.logp)
        dscores[np.arange(N), self.y] -= 1
        dscores /= N
        dh1 = dscores.dot(p["W2"].T)
        dh1[self.z1 > 0] = 0
        return {
            "W2": self.h1.T.dot(dscores),
            "b2": dscores.mean(axis=0),
            "W1": self.X.T.dot(dh1),
            "b1": dh1.mean(axis=0),
            "X": dh1.dot(p["W1"].T),
        }


def forward(X, y, W1, b1, W2, b2):
    net = TwoLayerNet(W1, b1, W2, b2)
    return net.loss(X, y), net


def backward(cache):
    return cache.grads()


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (X, W1, b1, W2, b2)]
    x, w1, c1, w2, c2 = leaves
    loss = F.cross_entropy(F.relu(x.mm(w1) + c1).mm(w2) + c2, torch.LongTensor(y.astype("int64")))
    loss.backward()
    return loss.item(), {k: v.grad for k, v in zip(("X", "W1", "b1", "W2", "b2"), leaves)}


def verify(X, y, W1, b1, W2, b2):
    loss, net = forward(X, y, W1, b1, W2, b2)
    hand = net.grads()
    ref_loss, ref = torch_forward_backward(X, y, W1, b1, W2, b2)
    errors = {k: np.max(np.abs(hand[k] - ref[k].numpy())) for k in hand}
    return all(e < 1e-8 for e in errors.values()) and abs(loss - ref_loss) < 1e-8
