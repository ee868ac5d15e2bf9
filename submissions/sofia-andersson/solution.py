import numpy as np
import torch
import torch.nn.functional as F


def hidden(X, W1, b1):
    return X @ W1 + b1


def probabilities(Z2):
    E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def forward(X, y, W1, b1, W2, b2):
    Z1 = hidden(X, W1, b1)
    Z2 = np.maximum(Z1, 0) @ W2 + b2
    top = Z2.max(axis=1)
    loss = (top + np.log(np.exp(Z2 - top[:, None]).sum(axis=1)) - Z2[np.arange(len(y)), y]).mean()
    return loss, (X, y, W1, b1, W2, b2)     # the inputs are enough: backward recomputes


def backward(cache):
    X, y, W1, b1, W2, b2 = cache
    Z1 = hidden(X, W1, b1)
    H1 = np.maximum(Z1, 0)
    P = probabilities(H1 @ W2 + b2)
    P[np.arange(len(y)), y] -= 1
    dZ2 = P / len(y)
    dZ1 = dZ2 @ W2.T
    dZ1 *= Z1 >= 0
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": H1.T @ dZ2, "b2": dZ2.sum(axis=0), "X": dZ1 @ W1.T}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    named = {"X": X, "W1": W1, "b1": b1, "W2": W2, "b2": b2}
    t = {k: torch.tensor(v, requires_grad=True) for k, v in named.items()}
    logits = F.linear(F.relu(F.linear(t["X"], t["W1"].T, t["b1"])), t["W2"].T, t["b2"])
    loss = F.cross_entropy(logits, torch.tensor(y).long())
    loss.backward()
    return loss.item(), {k: v.grad for k, v in t.items()}


def verify(X, y, W1, b1, W2, b2):
    g = backward(forward(X, y, W1, b1, W2, b2)[1])
    t = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    for k in g:
        np.testing.assert_allclose(g[k], t[k].numpy(), rtol=1e-7, atol=1e-12, err_msg=k)
    return True
