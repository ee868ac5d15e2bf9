# Backprop exercise. Notation: a = pre-activation, z = activation, d_ = dLoss/d_.
import numpy as np
import torch


def forward(X, y, W1, b1, W2, b2):
    N = X.shape[0]
    a1 = np.matmul(X, W1) + np.tile(b1, (N, 1))
    z1 = a1.copy()
    z1[z1 < 0] = 0
    a2 = np.matmul(z1, W2) + np.tile(b2, (N, 1))
    a2 = a2 - np.amax(a2, axis=1).reshape(N, 1)
    e = np.exp(a2)
    denom = np.sum(e, axis=1).reshape(N, 1)
    loss = 0.0
    for n in range(N):
        loss += np.log(denom[n, 0]) - a2[n, y[n]]
    return loss / N, [X, y, W1, W2, a1, z1, e / denom]


def backward(cache):
    X, y, W1, W2, a1, z1, prob = cache
    N = X.shape[0]
    d_a2 = np.array(prob)
    for n in range(N):
        d_a2[n, y[n]] -= 1
    d_a2 /= N
    d_z1 = np.matmul(d_a2, W2.T)
    d_a1 = d_z1.copy()
    d_a1[a1 <= 0] = 0
    grads = {}
    grads["W2"] = np.matmul(z1.T, d_a2)
    grads["b2"] = np.sum(d_a2, axis=0)
    grads["W1"] = np.matmul(X.T, d_a1)
    grads["b1"] = np.sum(d_a1, axis=0)
    grads["X"] = np.matmul(d_a1, W1.T)
    return grads


def torch_forward_backward(X, y, W1, b1, W2, b2):
    X, W1, b1, W2, b2 = [torch.tensor(v).requires_grad_(True) for v in (X, W1, b1, W2, b2)]
    logits = torch.addmm(b2, torch.addmm(b1, X, W1).clamp_min(0), W2)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y).to(torch.int64))
    loss.backward()
    return loss.item(), {"W1": W1.grad, "b1": b1.grad, "W2": W2.grad, "b2": b2.grad, "X": X.grad}


def verify(X, y, W1, b1, W2, b2):
    _, cache = forward(X, y, W1, b1, W2, b2)
    ours = backward(cache)
    _, ref = torch_forward_backward(X, y, W1, b1, W2, b2)
    ok = True
    for name in ours:
        # autograd adds the gradients up over the batch, so bring it to the mean first
        theirs = ref[name].numpy() / X.shape[0]
        ok = ok and bool(np.abs(ours[name] - theirs).max() < 1e-8)
    return ok
