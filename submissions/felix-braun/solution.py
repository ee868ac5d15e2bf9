import numpy as np
import torch


def relu(a):
    return np.maximum(a, 0.0)


def dense(a, W, b):
    return relu(a @ W + b)


def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    H1 = relu(Z1)
    Z2 = dense(H1, W2, b2)
    m = Z2.max(axis=1, keepdims=True)
    lse = m + np.log(np.exp(Z2 - m).sum(axis=1, keepdims=True))
    loss = (lse[:, 0] - Z2[np.arange(Z2.shape[0]), y]).mean()
    P = np.exp(Z2 - lse)
    return loss, (X, y, W1, W2, Z1, H1, P)


def backward(cache):
    (X, y, W1, W2, Z1, H1, P) = cache
    B = len(X)
    onehot = (np.arange(P.shape[1])[None, :] == y[:, None])
    dZ2 = (P - onehot) / B
    gW2, gb2 = H1.T @ dZ2, dZ2.sum(0)
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
    gW1, gb1 = X.T @ dZ1, dZ1.sum(0)
    return {"W1": gW1, "b1": gb1, "W2": gW2, "b2": gb2, "X": dZ1 @ W1.T}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    tensors = {n: torch.tensor(v, requires_grad=True) for n, v in
               (("X", X), ("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2))}
    H1 = (tensors["X"] @ tensors["W1"] + tensors["b1"]).relu()
    Z2 = H1 @ tensors["W2"] + tensors["b2"]
    logp = torch.log_softmax(Z2, dim=1)
    loss = -logp[torch.arange(len(y)), torch.tensor(y).long()].mean()
    loss.backward()
    return float(loss), {n: t.grad for n, t in tensors.items()}


def verify(X, y, W1, b1, W2, b2):
    l1, cache = forward(X, y, W1, b1, W2, b2)
    l2, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    assert abs(l1 - l2) < 1e-9, "loss"
    for n in mine:
        assert torch.allclose(torch.tensor(mine[n]), auto[n], rtol=1e-7, atol=1e-10), n
    return True
