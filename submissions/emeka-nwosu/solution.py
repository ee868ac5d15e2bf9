import numpy as np
import torch
import torch.nn as nn

# I find everything easier with a one-hot matrix Y [B, C], so I build it once in
# forward and keep it in the cache instead of y.


def one_hot(y, num_classes, dtype):
    Y = np.zeros((y.shape[0], num_classes), dtype=dtype)
    Y[np.arange(y.shape[0]), y] = 1
    return Y


def forward(X, y, W1, b1, W2, b2):
    Y = one_hot(y, W2.shape[1], W2.dtype)  # C from the weights: a class may be absent in y
    Z1 = np.matmul(X, W1) + b1
    A1 = np.maximum(Z1, 0)
    Z2 = np.matmul(A1, W2) + b2
    Z2 = Z2 - np.max(Z2, axis=1, keepdims=True)
    log_norm = np.log(np.sum(np.exp(Z2), axis=1, keepdims=True))
    log_P = Z2 - log_norm  # finite, so 0 * log_P below is safe
    loss = -np.sum(Y * log_P) / X.shape[0]
    cache = dict(X=X, Y=Y, W1=W1, W2=W2, Z1=Z1, A1=A1, P=np.exp(log_P))
    return loss, cache


def backward(cache):
    X, Y, W1, W2 = cache["X"], cache["Y"], cache["W1"], cache["W2"]
    Z1, A1, P = cache["Z1"], cache["A1"], cache["P"]

    dZ2 = (P - Y) / Y.shape[0]  # mean over the batch
    dW2 = np.matmul(A1.T, dZ2)
    db2 = np.sum(dZ2, axis=0)

    dA1 = np.matmul(dZ2, W2.T)
    dZ1 = np.multiply(dA1, np.greater(Z1, 0))
    dW1 = np.matmul(X.T, dZ1)
    db1 = np.sum(dZ1, axis=0)
    dX = np.matmul(dZ1, W1.T)

    grads = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}
    return grads


def torch_forward_backward(X, y, W1, b1, W2, b2):
    """A real nn.Module. nn.Linear keeps its weight as [out, in], so transpose in and out."""

    class Net(nn.Module):
        def __init__(self, d, h, c, dtype):
            super().__init__()
            self.fc1 = nn.Linear(d, h, dtype=dtype)
            self.fc2 = nn.Linear(h, c, dtype=dtype)

        def forward(self, x):
            return self.fc2(torch.relu(self.fc1(x)))

    x = torch.tensor(X, requires_grad=True)
    net = Net(W1.shape[0], W1.shape[1], W2.shape[1], x.dtype)
    with torch.no_grad():
        net.fc1.weight.copy_(torch.tensor(W1).T)
        net.fc1.bias.copy_(torch.tensor(b1))
        net.fc2.weight.copy_(torch.tensor(W2).T)
        net.fc2.bias.copy_(torch.tensor(b2))

    net.zero_grad()
    loss = nn.CrossEntropyLoss()(net(x), torch.tensor(y).long())
    loss.backward()

    grads = {
        "W1": net.fc1.weight.grad.T.numpy(),
        "b1": net.fc1.bias.grad.numpy(),
        "W2": net.fc2.weight.grad.T.numpy(),
        "b2": net.fc2.bias.grad.numpy(),
        "X": x.grad.numpy(),
    }
    return loss.item(), grads


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    manual = backward(cache)
    tloss, auto = torch_forward_backward(X, y, W1, b1, W2, b2)
    tol = 1e-10 if X.dtype == np.float64 else 5e-5

    results = {}
    for name in ["W1", "b1", "W2", "b2", "X"]:
        a, b = manual[name], np.asarray(auto[name])
        same_shape = a.shape == b.shape
        rel = np.max(np.abs(a - b)) / (np.max(np.abs(b)) + 1e-30)
        results[name] = bool(same_shape and rel < tol)
        print(f"d{name:3s} shape {a.shape}  rel err {rel:.2e}  {'ok' if results[name] else 'BAD'}")
    return all(results.values()) and abs(loss - tloss) <= tol * max(1, abs(tloss))
