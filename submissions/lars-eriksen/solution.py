import numpy as np
import torch


def softmax(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def log_softmax(z):
    z = z - np.max(z, axis=1, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))


def forward(X, y, W1, b1, W2, b2):
    Z1 = np.dot(X, W1) + b1
    A1 = np.where(Z1 > 0, Z1, 0)
    Z2 = np.dot(A1, W2) + b2
    rows = np.arange(X.shape[0])
    loss = -np.sum(log_softmax(Z2)[rows, y]) / X.shape[0]
    return loss, (X, y, Z1, A1, softmax(Z2), W1, W2)


def backward(cache):
    X, y, Z1, A1, P, W1, W2 = cache
    dZ2 = P.copy()
    dZ2[np.arange(X.shape[0]), y] -= 1
    dZ2 /= X.shape[0]
    dZ1 = np.where(Z1 > 0, np.dot(dZ2, W2.T), 0)
    return dict(W1=np.dot(X.T, dZ1), b1=np.sum(dZ1, axis=0), W2=np.dot(A1.T, dZ2),
                b2=np.sum(dZ2, axis=0), X=np.dot(dZ1, W1.T))


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaves = [torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)]
    w1, c1, w2, c2, x = leaves
    loss = torch.nn.functional.cross_entropy(torch.relu(x @ w1 + c1) @ w2 + c2,
                                             torch.as_tensor(y, dtype=torch.long))
    grads = torch.autograd.grad(loss, leaves)
    return loss.item(), dict(zip(("W1", "b1", "W2", "b2", "X"), [g.numpy() for g in grads]))


def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    _, theirs = torch_forward_backward(X, y, W1, b1, W2, b2)
    return {k: bool(np.allclose(mine[k], theirs[k], rtol=1e-7, atol=1e-9)) for k in theirs}


H = 0.05


def numerical_gradient(f, x):
    """Central differences of f, one coordinate of x after the other."""
    grad = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"])
    while not it.finished:
        i = it.multi_index
        x_plus, x_minus = x.copy(), x.copy()
        x_plus[i] += H
        x_minus[i] -= H
        grad[i] = (f(x_plus) - f(x_minus)) / (2 * H)
        it.iternext()
    return grad


def check_against_numerical(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    numeric = {
        "W1": numerical_gradient(lambda a: forward(X, y, a, b1, W2, b2)[0], W1),
        "b1": numerical_gradient(lambda a: forward(X, y, W1, a, W2, b2)[0], b1),
        "W2": numerical_gradient(lambda a: forward(X, y, W1, b1, a, b2)[0], W2),
        "b2": numerical_gradient(lambda a: forward(X, y, W1, b1, W2, a)[0], b2),
        "X": numerical_gradient(lambda a: forward(a, y, W1, b1, W2, b2)[0], X),
    }
    return {k: float(np.max(np.abs(mine[k] - numeric[k]))) for k in mine}
