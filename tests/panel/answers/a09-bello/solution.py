import numpy as np
import torch
import torch.nn as nn


# ----------------------------------------------------------------- numpy

def softmax_stats(logits):
    z = logits - np.max(logits, axis=1, keepdims=True)
    e = np.exp(z)
    s = e.sum(axis=1, keepdims=True)
    return e / s, z - np.log(s)


def forward(X, y, W1, b1, W2, b2):
    Z1 = X.dot(W1) + b1              # (B, H)
    H1 = Z1.clip(min=0)              # (B, H)
    Z2 = H1.dot(W2) + b2             # (B, C)
    probs, logp = softmax_stats(Z2)
    N = X.shape[0]
    loss = -np.sum(logp[range(N), y]) / N
    cache = (X, y, W1, W2, Z1, H1, probs)
    return loss, cache


def backward(cache):
    X, y, W1, W2, Z1, H1, probs = cache
    N = X.shape[0]
    delta = np.array(probs)
    delta[range(N), y] -= 1
    delta = delta / N

    grads = dict()
    grads['W2'] = H1.T.dot(delta)
    grads['b2'] = np.sum(delta, axis=0)
    hidden = delta.dot(W2.T)
    hidden[Z1 <= 0] = 0
    grads['W1'] = X.T.dot(hidden)
    grads['b1'] = np.sum(hidden, axis=0)
    grads['X'] = hidden.dot(W1.T)
    return grads


# ----------------------------------------------------------------- torch

def build_model(W1, b1, W2, b2):
    D, H = W1.shape
    C = W2.shape[1]
    model = nn.Sequential(
        nn.Linear(D, H),
        nn.ReLU(),
        nn.Linear(H, C),
        nn.Softmax(dim=1),
    ).to(torch.tensor(W1).dtype)
    # nn.Linear stores weights as (out, in)
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor(W1.T.copy()))
        model[0].bias.copy_(torch.tensor(b1))
        model[2].weight.copy_(torch.tensor(W2.T.copy()))
        model[2].bias.copy_(torch.tensor(b2))
    return model


def torch_forward_backward(X, y, W1, b1, W2, b2):
    model = build_model(W1, b1, W2, b2)
    criterion = nn.CrossEntropyLoss()
    xt = torch.tensor(X, requires_grad=True)
    yt = torch.tensor(y, dtype=torch.long)

    model.zero_grad()
    loss = criterion(model(xt), yt)
    loss.backward()

    grads = {
        'W1': model[0].weight.grad.t().numpy(),
        'b1': model[0].bias.grad.numpy(),
        'W2': model[2].weight.grad.t().numpy(),
        'b2': model[2].bias.grad.numpy(),
        'X': xt.grad.numpy(),
    }
    return loss.item(), grads


def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    g = backward(cache)
    tloss, tg = torch_forward_backward(X, y, W1, b1, W2, b2)
    print('loss numpy %.6f torch %.6f' % (loss, tloss))
    result = True
    for k in ['W1', 'b1', 'W2', 'b2', 'X']:
        same = g[k].shape == tg[k].shape and np.allclose(g[k], tg[k], rtol=1e-4, atol=1e-6)
        print(k, g[k].shape, same)
        if not same:
            result = False
    return result


if __name__ == '__main__':
    np.random.seed(0)
    B, D, H, C = 10, 7, 15, 4
    print(verify(np.random.randn(B, D), np.random.randint(C, size=B),
                 np.random.randn(D, H), np.random.randn(H),
                 np.random.randn(H, C), np.random.randn(C)))
