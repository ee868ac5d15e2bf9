import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def forward(X, y, W1, b1, W2, b2):
    u = X @ W1 + b1
    h = np.maximum(u, 0)
    s = h @ W2 + b2
    s = s - s.max(1, keepdims=True)
    log_z = np.log(np.exp(s).sum(1))
    loss = (log_z - s[np.arange(len(y)), y]).mean()
    return loss, (X, y, W1, W2, u, h, np.exp(s - log_z[:, None]))


def backward(cache):
    X, y, W1, W2, u, h, p = cache
    ds = p.copy()
    ds[np.arange(len(y)), y] -= 1
    ds /= len(y)
    gW2, gb2 = h.T @ ds, ds.sum(0)
    du = (ds @ W2.T) * (u > 0)
    return {"W1": X.T @ du, "b1": du.sum(0), "W2": gW2, "b2": gb2, "X": du @ W1.T}


class Net(nn.Module):
    def __init__(self, d, h, c):
        super().__init__()
        self.fc1 = nn.Linear(d, h)
        self.fc2 = nn.Linear(h, c)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


def grads_of(net, x, y):
    loss = F.cross_entropy(net(x), torch.tensor(y).long())
    loss.backward()
    return loss.item(), {"W1": net.fc1.weight.grad.T, "b1": net.fc1.bias.grad,
                         "W2": net.fc2.weight.grad.T, "b2": net.fc2.bias.grad, "X": x.grad}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    dtype = torch.float64 if X.dtype == np.float64 else torch.float32
    net = Net(*W1.shape, W2.shape[1]).to(dtype)
    with torch.no_grad():
        net.fc1.weight.copy_(torch.tensor(W1.T))
        net.fc1.bias.copy_(torch.tensor(b1))
        net.fc2.weight.copy_(torch.tensor(W2.T))
        net.fc2.bias.copy_(torch.tensor(b2))
    return grads_of(net, torch.tensor(X, requires_grad=True), y)


def verify(X, y, W1, b1, W2, b2):
    mine = backward(forward(X, y, W1, b1, W2, b2)[1])
    # a clean network for the check, so that nothing is left over from before
    torch.manual_seed(0)
    net = Net(*W1.shape, W2.shape[1]).double()
    _, ref = grads_of(net, torch.tensor(X, requires_grad=True), y)
    return all(np.allclose(mine[k], ref[k].numpy(), rtol=1e-6, atol=1e-9) for k in mine)
