import numpy as np
import torch
import torch.nn.functional as F


class Value:
    def __init__(self, data, parents=()):
        self.data, self.parents, self.grad = data, parents, 0

    def __matmul__(self, other):
        return Value(self.data @ other.data, ((self, lambda g: g @ other.data.T),
                                              (other, lambda g: self.data.T @ g)))

    def __add__(self, other):
        return Value(self.data + other.data, ((self, lambda g: g), (other, lambda g: g.sum(0))))

    def relu(self):
        return Value(np.maximum(self.data, 0), ((self, lambda g: g * (self.data > 0)),))

    def cross_entropy(self, y):
        S = self.data - self.data.max(1, keepdims=True)
        logP, rows = S - np.log(np.exp(S).sum(1, keepdims=True)), np.arange(len(y))

        def pull(g):
            d = np.exp(logP)
            d[rows, y] -= 1
            return g * d / len(y)
        return Value(-logP[rows, y].mean(), ((self, pull),))

    def walk(self):
        order = []

        def visit(node):
            if node not in order:
                for parent, _ in node.parents:
                    visit(parent)
                node.grad = 0
                order.append(node)
        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, pull in node.parents:
                parent.grad = parent.grad + pull(node.grad)


def forward(X, y, W1, b1, W2, b2):
    leaves = [Value(a) for a in (X, W1, b1, W2, b2)]
    x, w1, c1, w2, c2 = leaves
    loss = ((x @ w1 + c1).relu() @ w2 + c2).cross_entropy(y)
    return loss.data, (loss, leaves)


def backward(cache):
    loss, leaves = cache
    loss.walk()
    return {name: leaf.grad for name, leaf in zip(("X", "W1", "b1", "W2", "b2"), leaves, strict=True)}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = (torch.tensor(v, requires_grad=True) for v in (X, W1, b1, W2, b2))
    loss = F.cross_entropy(F.relu(X @ W1 + b1) @ W2 + b2, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"X": X.grad, "W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad}


def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    limit = 1e-9 if X.dtype == np.float64 else 1e-4
    return all(np.allclose(mine[k], theirs[k].numpy(), rtol=limit, atol=limit) for k in theirs)
