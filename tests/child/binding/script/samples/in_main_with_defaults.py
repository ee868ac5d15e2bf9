import numpy as np
import torch
import torch.nn.functional as F


def softmax(z):
    z = z - z.max(1, keepdims=True)
    return np.exp(z) / np.exp(z).sum(1, keepdims=True)


def main(n=16, d=5, h=8, c=3, seed=0):
    rng = np.random.default_rng(0)

    X = rng.normal(size=(n, d))
    y = rng.integers(0, c, size=n)
    W1 = rng.normal(size=(d, h))
    b1 = np.zeros(h)
    W2 = rng.normal(size=(h, c))
    b2 = np.zeros(c)

    Z1 = X @ W1 + b1
    A1 = np.maximum(0, Z1)
    P = softmax(A1 @ W2 + b2)
    loss = -np.log(P[np.arange(n), y]).mean()
    dZ2 = (P - np.eye(c)[y]) / n
    dW2, db2 = A1.T @ dZ2, dZ2.sum(axis=0)
    dZ1 = dZ2 @ W2.T * (Z1 > 0)
    dW1, db1 = X.T @ dZ1, dZ1.sum(axis=0)
    dX = dZ1 @ W1.T

    Xt = torch.tensor(X, requires_grad=True)
    W1t = torch.tensor(W1, requires_grad=True)
    b1t = torch.tensor(b1, requires_grad=True)
    W2t = torch.tensor(W2, requires_grad=True)
    b2t = torch.tensor(b2, requires_grad=True)
    out = torch.relu(Xt @ W1t + b1t) @ W2t + b2t
    loss_t = F.cross_entropy(out, torch.tensor(y))
    loss_t.backward()
    assert np.allclose(dW1, W1t.grad.numpy()) and np.allclose(dX, Xt.grad.numpy())
    assert np.allclose(db1, b1t.grad.numpy()) and np.allclose(db2, b2t.grad.numpy())
    assert np.allclose(dW2, W2t.grad.numpy()) and np.isclose(loss, loss_t.item())
    print("ok")


if __name__ == "__main__":
    main()
