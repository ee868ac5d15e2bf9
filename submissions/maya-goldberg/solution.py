import numpy as np
import torch
import torch.nn.functional as F

DECAY = 5e-3


def forward(X, y, W1, b1, W2, b2):
    Z1 = np.dot(X, W1) + b1
    H1 = np.maximum(Z1, 0)
    scores = np.dot(H1, W2) + b2
    scores = scores - np.max(scores, axis=1, keepdims=True)
    total = np.sum(np.exp(scores), axis=1, keepdims=True)
    P = np.exp(scores) / total
    N = X.shape[0]
    loss = np.sum(np.log(total[:, 0]) - scores[np.arange(N), y]) / N
    cache = {"X": X, "y": y, "Z1": Z1, "H1": H1, "P": P, "W1": W1, "W2": W2}
    return loss, cache


def backward(cache):
    X, y, P, H1 = cache["X"], cache["y"], cache["P"], cache["H1"]
    N = X.shape[0]
    dscores = P.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    grads = {}
    grads["W2"] = np.dot(H1.T, dscores) + DECAY * cache["W2"]
    grads["b2"] = np.sum(dscores, axis=0)
    dhidden = np.dot(dscores, cache["W2"].T)
    dhidden[cache["Z1"] <= 0] = 0
    grads["W1"] = np.dot(X.T, dhidden) + DECAY * cache["W1"]
    grads["b1"] = np.sum(dhidden, axis=0)
    grads["X"] = np.dot(dhidden, cache["W1"].T)
    return grads


def torch_forward_backward(X, y, W1, b1, W2, b2):
    leaf = lambda a: torch.tensor(a, requires_grad=True)
    x, w1, d1, w2, d2 = map(leaf, (X, W1, b1, W2, b2))
    loss = F.cross_entropy((x @ w1 + d1).clamp_min(0) @ w2 + d2, torch.tensor(y).long())
    gx, gw1, gd1, gw2, gd2 = torch.autograd.grad(loss, (x, w1, d1, w2, d2))
    return loss.item(), {"W1": gw1, "b1": gd1, "W2": gw2, "b2": gd2, "X": gx}


def verify(X, y, W1, b1, W2, b2):
    grads = backward(forward(X, y, W1, b1, W2, b2)[1])
    auto = torch_forward_backward(X, y, W1, b1, W2, b2)[1]
    bad = [k for k in grads if not np.allclose(grads[k], auto[k].numpy(), rtol=1e-5)]
    if bad:
        print("differs:", bad)
    return not bad
