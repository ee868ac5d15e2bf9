import numpy as np
import torch
import torch.nn.functional as F


def softmax(Z):
    # subtract the row max for stability
    E = np.exp(Z - np.max(Z, axis=1, keepdims=True))
    return E / np.sum(E, axis=1, keepdims=True)


def cross_entropy(P, Y):
    # P, Y: (B, C), Y is one-hot
    logP = np.log(np.clip(P, 1e-12, 1.0))
    return -np.sum(Y * logP) / Y.shape[0]


def weight_grad(A, dZ):
    # (in, B) @ (B, out)
    return A.T @ dZ


def bias_grad(dZ):
    # reduce over the batch axis
    return np.mean(dZ, axis=0)


def input_grad(dZ, W):
    return dZ @ W.T


def feedforward(X, y, W1, b1, W2, b2):
    Y = np.zeros((X.shape[0], W2.shape[1]), dtype=X.dtype)
    Y[np.arange(X.shape[0]), y] = 1
    Z1 = X @ W1 + b1          # (B, H)
    H1 = np.maximum(0, Z1)    # (B, H)
    Z2 = H1 @ W2 + b2         # (B, C)
    P = softmax(Z2)           # (B, C)
    loss = cross_entropy(P, Y)
    return loss, {'X': X, 'Y': Y, 'Z1': Z1, 'H1': H1, 'P': P, 'W1': W1, 'W2': W2}


def backprop(cache):
    X, Y, Z1, H1, P = (cache[k] for k in ('X', 'Y', 'Z1', 'H1', 'P'))

    dZ2 = (P - Y) / X.shape[0]
    dW2 = weight_grad(H1, dZ2)
    db2 = bias_grad(dZ2)

    dH1 = input_grad(dZ2, cache['W2'])
    dZ1 = dH1 * (Z1 > 0)
    dW1 = weight_grad(X, dZ1)
    db1 = bias_grad(dZ1)
    dX = input_grad(dZ1, cache['W1'])

    return dW1, db1, dW2, db2, dX


def torch_backprop(X, y, W1, b1, W2, b2):
    X = torch.tensor(X, requires_grad=True)
    W1 = torch.tensor(W1, requires_grad=True)
    b1 = torch.tensor(b1, requires_grad=True)
    W2 = torch.tensor(W2, requires_grad=True)
    b2 = torch.tensor(b2, requires_grad=True)
    loss = F.cross_entropy(F.relu(X @ W1 + b1) @ W2 + b2, torch.tensor(y, dtype=torch.long))
    loss.backward()
    return loss.item(), tuple(t.grad.numpy() for t in (W1, b1, W2, b2, X))


def compare(X, y, W1, b1, W2, b2):
    loss, cache = feedforward(X, y, W1, b1, W2, b2)
    mine = backprop(cache)
    loss_t, theirs = torch_backprop(X, y, W1, b1, W2, b2)
    checks = [np.isclose(loss, loss_t, rtol=1e-5)]
    for name, a, b in zip(('W1', 'b1', 'W2', 'b2', 'X'), mine, theirs):
        ok = a.shape == b.shape and np.allclose(a, b, rtol=1e-4, atol=1e-6)
        print(name, a.shape, 'ok' if ok else 'DIFFERENT')
        checks.append(ok)
    return all(checks)


if __name__ == '__main__':
    rng = np.random.RandomState(10)
    B, D, H, C = 8, 5, 12, 3
    print(compare(rng.randn(B, D), rng.randint(C, size=B), rng.randn(D, H), rng.randn(H),
                  rng.randn(H, C), rng.randn(C)))
