import numpy as np
import torch


def one_hot(y):
    n_classes = int(np.max(y)) + 1
    return np.eye(n_classes)[y]


class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.dW = np.zeros_like(W)
        self.db = np.zeros_like(b)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.dW += self.x.T @ g
        self.db += g.sum(axis=0)
        return g @ self.W.T


class ReLU:
    def forward(self, z):
        self.mask = z > 0
        return z * self.mask

    def backward(self, g):
        return g * self.mask


class SoftmaxCrossEntropy:
    def forward(self, logits, y):
        self.Y = one_hot(y).astype(logits.dtype)
        z = logits - logits.max(axis=1, keepdims=True)
        logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        self.P = np.exp(logp)
        return -(self.Y * logp).sum() / len(y)

    def backward(self):
        return (self.P - self.Y) / len(self.Y)


class MLP:
    def __init__(self, W1, b1, W2, b2):
        self.fc1 = Linear(W1, b1)
        self.act = ReLU()
        self.fc2 = Linear(W2, b2)
        self.crit = SoftmaxCrossEntropy()

    def forward(self, X, y):
        return self.crit.forward(self.fc2.forward(self.act.forward(self.fc1.forward(X))), y)

    def backward(self):
        dX = self.fc1.backward(self.act.backward(self.fc2.backward(self.crit.backward())))
        return {"W1": self.fc1.dW, "b1": self.fc1.db, "W2": self.fc2.dW, "b2": self.fc2.db, "X": dX}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    x, w1, c1, w2, c2 = [torch.tensor(v, requires_grad=True) for v in (X, W1, b1, W2, b2)]
    out = torch.addmm(c2, torch.addmm(c1, x, w1).relu(), w2)
    loss = torch.nn.functional.nll_loss(out.log_softmax(dim=1), torch.tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), {"W1": w1.grad.numpy(), "b1": c1.grad.numpy(),
                         "W2": w2.grad.numpy(), "b2": c2.grad.numpy(), "X": x.grad.numpy()}


def verify(X, y, W1, b1, W2, b2):
    net = MLP(W1, b1, W2, b2)
    loss = net.forward(X, y)
    grads = net.backward()
    t_loss, t_grads = torch_forward_backward(X, y, W1, b1, W2, b2)
    np.testing.assert_allclose(loss, t_loss, rtol=1e-5)
    for k in t_grads:
        assert grads[k].shape == t_grads[k].shape
        np.testing.assert_allclose(grads[k], t_grads[k], rtol=1e-4, atol=1e-6)
    return True


if __name__ == "__main__":
    rng = np.random.default_rng(4)
    B, D, H, C = 64, 32, 48, 10
    print(verify(rng.normal(size=(B, D)), rng.integers(0, C, size=B),
                 rng.normal(size=(D, H)) * 0.2, rng.normal(size=H) * 0.1,
                 rng.normal(size=(H, C)) * 0.2, rng.normal(size=C) * 0.1))
